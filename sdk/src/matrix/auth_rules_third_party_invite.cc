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
  if (!signed_raw) return rules.reject(Rule::third_party_is_not_signed);
  // 4.4.1.3
  const auto mxid = json::find_raw_string(*signed_raw, "mxid");
  const auto token = json::find_raw_string(*signed_raw, "token");
  if (!mxid || !token) return rules.reject(Rule::third_party_is_incomplete);
  // 4.4.1.4
  if (*mxid != rules.event.state_key) {
    return rules.reject(Rule::third_party_is_for_other_user);
  }
  // 4.4.1.5
  const Event invite = rules.state.third_party_invite(*token);
  if (!invite) return rules.reject(Rule::third_party_is_unknown);
  // 4.4.1.6
  if (invite.sender() != *rules.event.sender) {
    return rules.reject(Rule::third_party_is_of_other_sender);
  }
  // 4.4.1.7
  const auto document = json::Document::parse_object(*signed_raw);
  if (document && any_signature_matches(document->root(), public_keys_in(invite.content()))) return allow;
  return rules.reject(Rule::third_party_signature_is_wrong);  // 4.4.1.8
}

}  // namespace backplane::matrix::auth
