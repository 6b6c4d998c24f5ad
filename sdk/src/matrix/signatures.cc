#include "matrix/signatures.h"

#include <algorithm>
#include <tuple>

#include "base/json_scanner.h"

namespace backplane::matrix {
namespace {

std::optional<std::string> unquote_key(std::string_view raw_key) {
  return json::unquote('"' + std::string(raw_key) + '"');
}

}  // namespace

std::vector<Signature> signatures_in(std::string_view raw_signatures) {
  std::vector<Signature> out;
  json::each_raw_member(raw_signatures, [&](std::string_view raw_entity, std::string_view raw_keys) {
    const auto entity = unquote_key(raw_entity);
    json::each_raw_member(raw_keys, [&](std::string_view raw_key_id, std::string_view value) {
      const auto key_id = unquote_key(raw_key_id);
      const auto signature = json::unquote(value);
      if (entity && key_id && signature) out.push_back({*entity, *key_id, *signature});
      return true;
    });
    return true;
  });
  return out;
}

void append_signatures(std::string& out, std::vector<Signature> signatures, Signature added) {
  const auto same_key = [&](const Signature& s) { return s.entity == added.entity && s.key_id == added.key_id; };
  std::erase_if(signatures, same_key);
  signatures.push_back(std::move(added));
  std::sort(signatures.begin(), signatures.end(), [](const Signature& a, const Signature& b) {
    return std::tie(a.entity, a.key_id) < std::tie(b.entity, b.key_id);
  });
  json::Writer writer(out);
  writer.begin_object();
  for (std::size_t i = 0; i < signatures.size(); ++i) {
    const bool first = i == 0 || signatures[i].entity != signatures[i - 1].entity;
    const bool last = i + 1 == signatures.size() || signatures[i].entity != signatures[i + 1].entity;
    if (first) writer.key(signatures[i].entity).begin_object();
    writer.member(signatures[i].key_id, signatures[i].base64);
    if (last) writer.end_object();
  }
  writer.end_object();
}

}  // namespace backplane::matrix
