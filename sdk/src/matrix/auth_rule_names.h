// The authorization rules by name, and their numbers in each room version: the code of the rules says why it rejects by
// name, so that it need not know how a version counts.
#pragma once

#include <cstdint>

#include "backplane/matrix/auth_rules.h"

namespace backplane::matrix::auth {

/// What an event was rejected for, in the order of the specification's page.
enum class Rule : std::uint8_t {
  create_has_prev_events,
  create_is_of_other_server,
  create_has_room_id,
  room_version_is_unknown,
  create_has_no_creator,
  additional_creators_are_malformed,
  auth_event_is_repeated,
  auth_event_is_not_selected,
  auth_event_was_rejected,
  no_create_event,
  auth_event_is_of_other_room,
  room_id_is_of_no_create_event,
  room_is_not_federated,
  aliases_have_no_state_key,
  aliases_are_of_other_server,
  no_membership,
  not_own_join,
  joins_while_banned,
  not_invited,
  join_is_not_authorised,
  join_rule_forbids,
  third_party_target_is_banned,
  third_party_is_not_signed,
  third_party_is_incomplete,
  third_party_is_for_other_user,
  third_party_is_unknown,
  third_party_is_of_other_sender,
  third_party_signature_is_wrong,
  invites_from_outside,
  invites_joined_or_banned,
  may_not_invite,
  leaves_from_outside,
  kicks_from_outside,
  may_not_unban,
  may_not_kick,
  bans_from_outside,
  may_not_ban,
  join_rule_forbids_knock,
  not_own_knock,
  knocks_from_inside,
  membership_is_unknown,
  sender_is_not_joined,
  may_not_invite_third_party,
  level_is_too_low,
  state_key_is_of_other_user,
  level_is_malformed,
  level_entries_are_malformed,
  level_users_are_malformed,
  level_users_name_creator,
  old_level_is_above_sender,
  new_level_is_above_sender,
  old_entry_is_above_sender,
  new_entry_is_above_sender,
  old_user_is_not_below_sender,
  new_user_is_above_sender,
  may_not_redact,
};

/// The reason, number and text of a rule, in the words and figures of the room version.
Rejection rejection(Rule rule, const RoomVersion& version);

}  // namespace backplane::matrix::auth
