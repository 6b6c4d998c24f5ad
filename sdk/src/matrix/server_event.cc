#include "backplane/matrix/server_event.h"

#include "base/json_scanner.h"

namespace backplane::matrix {

std::string server_event(std::string_view stored_event) {
  std::string out = "{";
  out.reserve(stored_event.size());
  json::each_raw_member(stored_event, [&out](std::string_view key, std::string_view value) {
    if (key == "unsigned") return true;
    out += out.size() == 1 ? "\"" : ",\"";
    out += key;
    out += "\":";
    out += value;
    return true;
  });
  out += '}';
  return out;
}

}  // namespace backplane::matrix
