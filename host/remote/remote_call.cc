#include "host/remote/remote_call.h"

#include "backplane/base/fields.h"

namespace backplane::host {
namespace {

struct WireError {
  std::string code, reason, text;
  std::map<std::string, json::Raw> fields;
};
BACKPLANE_FIELDS(WireError, code, reason, text, fields);

}  // namespace

std::string remote_path(std::string_view interface_id, std::string_view method) {
  return "/api/" + std::string(interface_id) + "/" + std::string(method);
}

std::string error_to_json(const Error& error) {
  WireError wire{std::string(to_string(error.code)), error.reason, error.text, {}};
  for (const ErrorField& field : error.fields) wire.fields[field.name] = json::Raw{field.json};
  return to_json(wire);
}

Error error_from_json(std::string_view text) {
  auto wire = from_json<WireError>(text);
  if (!wire || wire->code.empty()) return internal_error("the other host answered something that is no error");
  Error error(error_code_from(wire->code), std::move(wire->reason), std::move(wire->text));
  for (auto& [name, value] : wire->fields) error.fields.push_back({name, std::move(value.text)});
  return error;
}

}  // namespace backplane::host
