#include "matrix/auth_rule_names.h"

#include <array>

namespace backplane::matrix::auth {
namespace {

/// The pages of the specification that count differently. Versions 3 to 5 are 1 without rule 11.
enum Page : std::uint8_t { of_1, of_6, of_7, of_8, of_10, of_12, pages };

struct Entry {
  Rule rule;
  std::string_view reason;
  std::array<std::string_view, pages> number;  ///< empty where the page has no such rule
  std::string_view text;
};

// clang-format off
constexpr Entry entries[] = {
    // The numbers are those of room versions 1 to 5, 6, 7, 8 and 9, 10 and 11, 12.
    Entry{Rule::create_has_prev_events, "create_has_prev_events",
          {"1.1", "1.1", "1.1", "1.1", "1.1", "1.1"},
          "the create event has prev_events"},
    Entry{Rule::create_is_of_other_server, "create_is_of_other_server",
          {"1.2", "1.2", "1.2", "1.2", "1.2", ""},
          "the room id is of another server than the sender"},
    Entry{Rule::create_has_room_id, "create_has_room_id",
          {"", "", "", "", "", "1.2"},
          "the create event has a room_id"},
    Entry{Rule::room_version_is_unknown, "room_version_is_unknown",
          {"1.3", "1.3", "1.3", "1.3", "1.3", "1.3"},
          "the room version is not recognised"},
    Entry{Rule::create_has_no_creator, "create_has_no_creator",
          {"1.4", "1.4", "1.4", "1.4", "1.4", ""},
          "the create event names no creator"},
    Entry{Rule::additional_creators_are_malformed, "additional_creators_are_malformed",
          {"", "", "", "", "", "1.4"},
          "additional_creators is not an array of user ids"},
    Entry{Rule::auth_event_is_repeated, "auth_event_is_repeated",
          {"2.1", "2.1", "2.1", "2.1", "2.1", "3.1"},
          "two auth events have the same type and state key"},
    Entry{Rule::auth_event_is_not_selected, "auth_event_is_not_selected",
          {"2.2", "2.2", "2.2", "2.2", "2.2", "3.2"},
          "an auth event is not one that the event needs"},
    Entry{Rule::auth_event_was_rejected, "auth_event_was_rejected",
          {"2.3", "2.3", "2.3", "2.3", "2.3", "3.3"},
          "an auth event was rejected"},
    Entry{Rule::no_create_event, "no_create_event",
          {"2.4", "2.4", "2.4", "2.4", "2.4", "2"},
          "there is no create event"},
    Entry{Rule::auth_event_is_of_other_room, "auth_event_is_of_other_room",
          {"2.5", "2.5", "2.5", "2.5", "2.5", "3.5"},
          "an auth event is of another room"},
    Entry{Rule::room_id_is_of_no_create_event, "room_id_is_of_no_create_event",
          {"2.5", "2.5", "2.5", "2.5", "2.5", "2"},
          "the event is of another room than the create event"},
    Entry{Rule::room_is_not_federated, "room_is_not_federated",
          {"3", "3", "3", "3", "3", "4"},
          "the room is closed to other servers"},
    Entry{Rule::aliases_have_no_state_key, "aliases_have_no_state_key",
          {"4.1", "", "", "", "", ""},
          "the aliases event has no state_key"},
    Entry{Rule::aliases_are_of_other_server, "aliases_are_of_other_server",
          {"4.2", "", "", "", "", ""},
          "the aliases are of another server than the sender"},
    Entry{Rule::no_membership, "no_membership",
          {"5.1", "4.1", "4.1", "4.1", "4.1", "5.1"},
          "the membership event has no state_key or no membership"},
    Entry{Rule::not_own_join, "not_own_join",
          {"5.2.2", "4.2.2", "4.2.2", "4.3.2", "4.3.2", "5.3.2"},
          "only users themselves may join"},
    Entry{Rule::joins_while_banned, "joins_while_banned",
          {"5.2.3", "4.2.3", "4.2.3", "4.3.3", "4.3.3", "5.3.3"},
          "the user is banned"},
    Entry{Rule::not_invited, "not_invited",
          {"5.2.4", "4.2.4", "4.2.4", "4.3.4", "4.3.4", "5.3.4"},
          "the user is not invited"},
    Entry{Rule::join_is_not_authorised, "join_is_not_authorised",
          {"", "", "", "4.3.5.2", "4.3.5.2", "5.3.5.2"},
          "nobody who may invite authorised the join"},
    Entry{Rule::join_rule_forbids, "join_rule_forbids",
          {"5.2.6", "4.2.6", "4.2.6", "4.3.7", "4.3.7", "5.3.7"},
          "the join rule lets nobody join"},
    Entry{Rule::third_party_target_is_banned, "third_party_target_is_banned",
          {"5.3.1.1", "4.3.1.1", "4.3.1.1", "4.4.1.1", "4.4.1.1", "5.4.1.1"},
          "the invited user is banned"},
    Entry{Rule::third_party_is_not_signed, "third_party_is_not_signed",
          {"5.3.1.2", "4.3.1.2", "4.3.1.2", "4.4.1.2", "4.4.1.2", "5.4.1.2"},
          "the third-party invite is not signed"},
    Entry{Rule::third_party_is_incomplete, "third_party_is_incomplete",
          {"5.3.1.3", "4.3.1.3", "4.3.1.3", "4.4.1.3", "4.4.1.3", "5.4.1.3"},
          "the third-party invite has no mxid or no token"},
    Entry{Rule::third_party_is_for_other_user, "third_party_is_for_other_user",
          {"5.3.1.4", "4.3.1.4", "4.3.1.4", "4.4.1.4", "4.4.1.4", "5.4.1.4"},
          "the third-party invite is for another user"},
    Entry{Rule::third_party_is_unknown, "third_party_is_unknown",
          {"5.3.1.5", "4.3.1.5", "4.3.1.5", "4.4.1.5", "4.4.1.5", "5.4.1.5"},
          "the room has no such third-party invite"},
    Entry{Rule::third_party_is_of_other_sender, "third_party_is_of_other_sender",
          {"5.3.1.6", "4.3.1.6", "4.3.1.6", "4.4.1.6", "4.4.1.6", "5.4.1.6"},
          "the third-party invite is of another sender"},
    Entry{Rule::third_party_signature_is_wrong, "third_party_signature_is_wrong",
          {"5.3.1.8", "4.3.1.8", "4.3.1.8", "4.4.1.8", "4.4.1.8", "5.4.1.8"},
          "no signature of the third-party invite is valid"},
    Entry{Rule::invites_from_outside, "invites_from_outside",
          {"5.3.2", "4.3.2", "4.3.2", "4.4.2", "4.4.2", "5.4.2"},
          "the sender is not joined to the room"},
    Entry{Rule::invites_joined_or_banned, "invites_joined_or_banned",
          {"5.3.3", "4.3.3", "4.3.3", "4.4.3", "4.4.3", "5.4.3"},
          "the invited user is joined or banned"},
    Entry{Rule::may_not_invite, "may_not_invite",
          {"5.3.5", "4.3.5", "4.3.5", "4.4.5", "4.4.5", "5.4.5"},
          "the sender may not invite"},
    Entry{Rule::leaves_from_outside, "leaves_from_outside",
          {"5.4.1", "4.4.1", "4.4.1", "4.5.1", "4.5.1", "5.5.1"},
          "the user is not in the room"},
    Entry{Rule::kicks_from_outside, "kicks_from_outside",
          {"5.4.2", "4.4.2", "4.4.2", "4.5.2", "4.5.2", "5.5.2"},
          "the sender is not joined to the room"},
    Entry{Rule::may_not_unban, "may_not_unban",
          {"5.4.3", "4.4.3", "4.4.3", "4.5.3", "4.5.3", "5.5.3"},
          "the sender may not unban"},
    Entry{Rule::may_not_kick, "may_not_kick",
          {"5.4.5", "4.4.5", "4.4.5", "4.5.5", "4.5.5", "5.5.5"},
          "the sender may not remove this user"},
    Entry{Rule::bans_from_outside, "bans_from_outside",
          {"5.5.1", "4.5.1", "4.5.1", "4.6.1", "4.6.1", "5.6.1"},
          "the sender is not joined to the room"},
    Entry{Rule::may_not_ban, "may_not_ban",
          {"5.5.3", "4.5.3", "4.5.3", "4.6.3", "4.6.3", "5.6.3"},
          "the sender may not ban this user"},
    Entry{Rule::join_rule_forbids_knock, "join_rule_forbids_knock",
          {"", "", "4.6.1", "4.7.1", "4.7.1", "5.7.1"},
          "the join rule does not let users knock"},
    Entry{Rule::not_own_knock, "not_own_knock",
          {"", "", "4.6.2", "4.7.2", "4.7.2", "5.7.2"},
          "only users themselves may knock"},
    Entry{Rule::knocks_from_inside, "knocks_from_inside",
          {"", "", "4.6.4", "4.7.4", "4.7.4", "5.7.4"},
          "the user is banned, invited or joined"},
    Entry{Rule::membership_is_unknown, "membership_is_unknown",
          {"5.6", "4.6", "4.7", "4.8", "4.8", "5.8"},
          "the membership is unknown"},
    Entry{Rule::sender_is_not_joined, "sender_is_not_joined",
          {"6", "5", "5", "5", "5", "6"},
          "the sender is not joined to the room"},
    Entry{Rule::may_not_invite_third_party, "may_not_invite_third_party",
          {"7.1", "6.1", "6.1", "6.1", "6.1", "7.1"},
          "the sender may not invite"},
    Entry{Rule::level_is_too_low, "level_is_too_low",
          {"8", "7", "7", "7", "7", "8"},
          "the sender's power level is too low for this type of event"},
    Entry{Rule::state_key_is_of_other_user, "state_key_is_of_other_user",
          {"9", "8", "8", "8", "8", "9"},
          "the state key is the id of another user"},
    Entry{Rule::level_is_malformed, "level_is_malformed",
          {"10.1", "9.1", "9.1", "9.1", "9.1", "10.1"},
          "a level is not an integer"},
    Entry{Rule::level_entries_are_malformed, "level_entries_are_malformed",
          {"10.1", "9.1", "9.1", "9.1", "9.2", "10.2"},
          "events or notifications is not an object with values that are integers"},
    Entry{Rule::level_users_are_malformed, "level_users_are_malformed",
          {"10.1", "9.1", "9.1", "9.1", "9.3", "10.3"},
          "users is not an object of user ids and integers"},
    Entry{Rule::level_users_name_creator, "level_users_name_creator",
          {"", "", "", "", "", "10.4"},
          "users names a creator of the room"},
    Entry{Rule::old_level_is_above_sender, "old_level_is_above_sender",
          {"10.3.1", "9.3.1", "9.3.1", "9.3.1", "9.5.1", "10.6.1"},
          "a level that is changed is above the sender's"},
    Entry{Rule::new_level_is_above_sender, "new_level_is_above_sender",
          {"10.3.2", "9.3.2", "9.3.2", "9.3.2", "9.5.2", "10.6.2"},
          "a new level is above the sender's"},
    Entry{Rule::old_entry_is_above_sender, "old_entry_is_above_sender",
          {"10.4.1", "9.4.1", "9.4.1", "9.4.1", "9.6.1", "10.7.1"},
          "the level of an entry that is changed is above the sender's"},
    Entry{Rule::new_entry_is_above_sender, "new_entry_is_above_sender",
          {"10.5.1", "9.5.1", "9.5.1", "9.5.1", "9.7.1", "10.8.1"},
          "the new level of an entry is above the sender's"},
    Entry{Rule::old_user_is_not_below_sender, "old_user_is_not_below_sender",
          {"10.6.1", "9.6.1", "9.6.1", "9.6.1", "9.8.1", "10.9.1"},
          "a user whose level is changed is not below the sender"},
    Entry{Rule::new_user_is_above_sender, "new_user_is_above_sender",
          {"10.7.1", "9.7.1", "9.7.1", "9.7.1", "9.9.1", "10.10.1"},
          "the new level of a user is above the sender's"},
    Entry{Rule::may_not_redact, "may_not_redact",
          {"11.3", "", "", "", "", ""},
          "the sender may redact events of the own server only"},
};
// clang-format on

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(entries); ++i) {
    if (static_cast<std::size_t>(entries[i].rule) != i) return false;
  }
  return true;
}
static_assert(in_order(), "an entry a rule, in their order");

Page page_of(const RoomVersion& version) {
  if (version.create_event_is_implied) return of_12;
  if (version.integer_power_levels) return of_10;
  if (version.restricted_join) return of_8;
  if (version.knock) return of_7;
  return version.auth_of_aliases ? of_1 : of_6;
}

}  // namespace

Rejection rejection(Rule rule, const RoomVersion& version) {
  const Entry& entry = entries[static_cast<std::size_t>(rule)];
  return {entry.reason, entry.number[page_of(version)], entry.text};
}

}  // namespace backplane::matrix::auth
