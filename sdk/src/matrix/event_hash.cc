#include "backplane/matrix/event_hash.h"

#include <algorithm>

#include "backplane/matrix/membership.h"
#include "base/json_scanner.h"
#include "matrix/redaction_rules.h"
#include "matrix/signatures.h"

namespace backplane::matrix {
namespace {

void append_member(std::string& out, std::string_view key, std::string_view value) {
  out += out.size() == 1 ? "\"" : ",\"";
  out += key;
  out += "\":";
  out += value;
}

/// The object with one member put in its place among the sorted keys, replacing one of the same name.
std::string with_member(std::string_view object, std::string_view key, std::string_view value) {
  std::string out = "{";
  out.reserve(object.size() + key.size() + value.size() + 5);
  bool written = false;
  json::each_raw_member(object, [&](std::string_view name, std::string_view old) {
    if (!written && name >= key) {
      append_member(out, key, value);
      written = true;
    }
    if (name != key) append_member(out, name, old);
    return true;
  });
  if (!written) append_member(out, key, value);
  out += '}';
  return out;
}

std::string with_signature(std::string_view event, const RoomVersion& version, const ServerName& server,
                           const SigningKey& key) {
  std::string signatures;
  append_signatures(signatures, signatures_in(json::find_raw(event, "signatures").value_or("{}")),
                    {server.str(), key.key_id(), key.sign(signed_form(event, version))});
  return with_member(event, "signatures", signatures);
}

}  // namespace

Sha256 content_hash(std::string_view event) {
  std::string covered = "{";
  covered.reserve(event.size());
  json::each_raw_member(event, [&](std::string_view key, std::string_view value) {
    if (key != "unsigned" && key != "signatures" && key != "hashes") append_member(covered, key, value);
    return true;
  });
  covered += '}';
  return sha256(covered);
}

bool has_content_hash(const Event& event) {
  const auto hashes = json::find_raw(event.json(), "hashes").value_or("{}");
  const auto stated = decode_base64(json::find_raw_string(hashes, "sha256").value_or(""));
  const Sha256 computed = content_hash(event.json());
  return stated && *stated == as_text(computed);
}

std::string signed_form(std::string_view event, const RoomVersion& version) {
  std::string out;
  out.reserve(event.size());
  append_redacted_event(out, event, version, false);
  return out;
}

Sha256 reference_hash(std::string_view event, const RoomVersion& version) {
  return sha256(signed_form(event, version));
}

EventId event_id_of_hash(const Sha256& reference_hash, const RoomVersion& version) {
  // Spec: room versions 3 and 4, "Event IDs".
  const bool url_safe = version.event_format == EventFormat::url_safe_reference_hash;
  return EventId('$' + (url_safe ? base64_url(as_text(reference_hash)) : base64(as_text(reference_hash))));
}

EventId reference_event_id(std::string_view event, const RoomVersion& version) {
  return event_id_of_hash(reference_hash(event, version), version);
}

std::vector<Signature> signatures_of(const Event& event) { return signatures_in(event.signatures()); }

std::vector<ServerName> required_signers(const Event& event) {
  std::vector<ServerName> out;
  const auto add = [&out](ServerName server) {
    if (std::find(out.begin(), out.end(), server) == out.end()) out.push_back(std::move(server));
  };
  const bool is_member = event.type() == "m.room.member";
  const auto membership = is_member ? membership_in(event.content()) : std::nullopt;
  // Spec: Server-Server API, "Validating hashes and signatures on received events".
  const bool third_party_invite =
      membership == Membership::invite && json::find_raw(event.content(), "third_party_invite").has_value();
  if (!third_party_invite) add(server_of(event.sender()));
  if (event.room_version().event_format == EventFormat::event_id_in_event) add(server_of(event.event_id()));
  if (is_member && event.room_version().restricted_join) {
    // Spec: room version 8, authorization rules, 4.2.
    if (const auto user = json::find_raw_string(event.content(), "join_authorised_via_users_server")) {
      add(server_of(UserId(*user)));
    }
  }
  return out;
}

bool is_key_valid_for(const RoomVersion& version, std::int64_t origin_server_ts, std::int64_t valid_until_ts,
                      std::int64_t now) {
  if (!version.enforce_key_validity) return true;
  // Spec: room version 5: "Servers MUST use the lesser of valid_until_ts and 7 days into the future".
  constexpr std::int64_t seven_days = 7LL * 24 * 60 * 60 * 1000;
  return origin_server_ts <= std::min(valid_until_ts, now + seven_days);
}

bool verify_event(const Event& event, std::string_view form, const ServerName& server, std::string_view key_id,
                  std::string_view public_key) {
  for (const auto& signature : signatures_of(event)) {
    if (signature.entity == server.view() && signature.key_id == key_id) {
      return verify_signature(form, signature.base64, public_key);
    }
  }
  return false;
}

Event add_signature(const Event& event, const ServerName& server, const SigningKey& key) {
  return Event::from_stored(with_signature(event.json(), event.room_version(), server, key), event.event_id(),
                            event.room_version());
}

std::string hash_and_sign(std::string_view event, const RoomVersion& version, const ServerName& server,
                          const SigningKey& key) {
  std::string hashes = "{\"sha256\":\"";
  hashes += base64(as_text(content_hash(event)));
  hashes += "\"}";
  return with_signature(with_member(event, "hashes", hashes), version, server, key);
}

}  // namespace backplane::matrix
