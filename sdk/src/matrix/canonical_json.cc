#include "backplane/matrix/canonical_json.h"

#include <algorithm>

#include "matrix/signatures.h"

namespace backplane::matrix {
namespace {

std::vector<json::Member> sorted_members(json::View object) {
  auto members = object.members();
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  return members;
}

}  // namespace

std::string signed_bytes(json::View object) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  for (const auto& [key, value] : sorted_members(object)) {
    if (key != "signatures" && key != "unsigned") writer.member(key, value);
  }
  writer.end_object();
  return out;
}

std::vector<Signature> signatures_of(json::View object) {
  std::vector<Signature> out;
  const auto signatures = object.find("signatures");
  if (!signatures) return out;
  for (const auto& [entity, keys] : signatures->members()) {
    for (const auto& [key_id, value] : keys.members()) {
      if (const auto text = value.as_string()) {
        out.push_back({std::string(entity), std::string(key_id), std::string(*text)});
      }
    }
  }
  return out;
}

std::string sign_json(json::View object, std::string_view entity, const SigningKey& key) {
  std::string signatures;
  append_signatures(signatures, signatures_of(object),
                    {std::string(entity), key.key_id(), key.sign(signed_bytes(object))});
  std::string out;
  json::Writer writer(out);
  writer.begin_object();
  bool written = false;
  for (const auto& [name, value] : sorted_members(object)) {
    if (!written && name >= "signatures") {
      writer.raw_member("signatures", signatures);
      written = true;
    }
    if (name != "signatures") writer.member(name, value);
  }
  if (!written) writer.raw_member("signatures", signatures);
  writer.end_object();
  return out;
}

bool verify_json(json::View object, std::string_view entity, std::string_view key_id, std::string_view public_key) {
  const auto signatures = object.find("signatures");
  const auto keys = signatures ? signatures->find(entity) : std::nullopt;
  const auto signature = keys ? keys->find_string(key_id) : std::nullopt;
  return signature && verify_signature(signed_bytes(object), *signature, public_key);
}

}  // namespace backplane::matrix
