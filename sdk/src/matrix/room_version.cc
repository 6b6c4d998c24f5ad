#include "backplane/matrix/room_version.h"

#include <array>

namespace backplane::matrix {
namespace {

// Each version is the one before it with what its page of the specification changes.
constexpr auto all_versions = [] {
  std::array<RoomVersion, 12> all{};
  RoomVersion v;
  auto next = [&all, &v, count = std::size_t{0}](std::string_view id) mutable {
    v.id = id;
    all[count++] = v;
  };
  next("1");
  v.state_resolution = StateResolution::v2;
  next("2");
  v.event_format = EventFormat::reference_hash;
  v.auth_of_redactions = false;
  next("3");
  v.event_format = EventFormat::url_safe_reference_hash;
  next("4");
  v.enforce_key_validity = true;
  next("5");
  v.strict_canonical_json = true;
  v.redaction_keeps_aliases = false;
  v.auth_of_aliases = false;
  v.auth_of_notification_levels = true;
  next("6");
  v.knock = true;
  next("7");
  v.restricted_join = true;
  v.redaction_keeps_join_rules_allow = true;
  next("8");
  v.redaction_keeps_authorising_user = true;
  next("9");
  v.knock_restricted_join = true;
  v.integer_power_levels = true;
  next("10");
  v.redaction_keeps_origin_keys = false;
  v.redaction_keeps_all_of_create = true;
  v.redaction_keeps_redacts = true;
  v.redaction_keeps_invite_level = true;
  v.redaction_keeps_third_party_signed = true;
  v.redacts_in_content = true;
  v.creator_is_sender = true;
  next("11");
  v.room_id_format = RoomIdFormat::create_event_hash;
  v.state_resolution = StateResolution::v2_1;
  v.privileged_creators = true;
  v.create_event_is_implied = true;
  next("12");
  return all;
}();

}  // namespace

const RoomVersion* find_room_version(std::string_view id) {
  for (const auto& version : all_versions) {
    if (version.id == id) return &version;
  }
  return nullptr;
}

std::span<const RoomVersion> room_versions() { return all_versions; }

}  // namespace backplane::matrix
