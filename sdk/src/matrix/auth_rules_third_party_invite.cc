#include <algorithm>

#include "backplane/matrix/canonical_json.h"
#include "base/json_scanner.h"
#include "matrix/auth_rules_detail.h"

namespace backplane::matrix::auth {
namespace {

/// The keys that a m.room.third_party_invite event names: `public_key` and those of `public_keys`.
std::vector<std::string> public_keys_in(std::string_view content) {
  std::vector<std::string> out;
  const auto add = [&out](std::optional<std::string> key) {
    if (key) out.push_back(*std::move(key));
  };
  add(json::find_raw_string(content, "public_key"));
  json::each_raw_element(json::find_raw(content, "public_keys").value_or(""),
                         [&](std::string_view entry) { add(json::find_raw_string(entry, "public_key")); });
  return out;
}

bool any_signature_matches(json::View signed_part, const std::vector<std::string>& public_keys) {
  const std::string bytes = signed_bytes(signed_part);
  // Each check costs some 50 µs, and the sender chooses how many signatures and keys there are.
  constexpr std::size_t max_checks = 64;
  std::size_t checks = 0;
  for (const auto& signature : signatures_of(signed_part)) {
    if (!signature.key_id.starts_with("ed25519:")) continue;
    for (const auto& key : public_keys) {
      if (++checks > max_checks) return false;
      if (verify_signature(bytes, signature.base64, key)) return true;
    }
  }
  return false;
}

}  // namespace

Verdict check_third_party_invite(const Rules& rules, std::string_view third_party_invite) {
  // 4.4.1.2
  const auto signed_raw = json::find_raw(third_party_invite, "signed");
  if (!signed_raw) return rules.reject("4.4.1.2", "5.4.1.2", "the third-party invite is not signed");
  // 4.4.1.3
  const auto mxid = json::find_raw_string(*signed_raw, "mxid");
  const auto token = json::find_raw_string(*signed_raw, "token");
  if (!mxid || !token) return rules.reject("4.4.1.3", "5.4.1.3", "the third-party invite has no mxid or no token");
  // 4.4.1.4
  if (*mxid != rules.event.state_key) {
    return rules.reject("4.4.1.4", "5.4.1.4", "the third-party invite is for another user");
  }
  // 4.4.1.5
  const Event invite = rules.state.third_party_invite(*token);
  if (!invite) return rules.reject("4.4.1.5", "5.4.1.5", "the room has no such third-party invite");
  // 4.4.1.6
  if (invite.sender() != *rules.event.sender) {
    return rules.reject("4.4.1.6", "5.4.1.6", "the third-party invite is of another sender");
  }
  // 4.4.1.7
  const auto document = json::Document::parse_object(*signed_raw);
  if (document && any_signature_matches(document->root(), public_keys_in(invite.content()))) return allow;
  return rules.reject("4.4.1.8", "5.4.1.8", "no signature of the third-party invite is valid");  // 4.4.1.8
}

}  // namespace backplane::matrix::auth
