#include "backplane/matrix/auth_rules.h"

#include <algorithm>

#include "base/json_scanner.h"
#include "matrix/auth_rules_detail.h"

namespace backplane::matrix {
namespace {

using auth::allow;
using auth::Rules;
using auth::Verdict;

/// Rule 1.
Verdict check_create(const Rules& rules) {
  const auto& [event, version, state] = rules;
  // 1.1
  if (event.prev_event_count != 0) return rules.reject("1.1", "1.1", "the create event has prev_events");
  // 1.2
  if (version.room_id_format == RoomIdFormat::create_event_hash) {
    if (event.carries_room_id) return rules.reject("1.2", "1.2", "the create event has a room_id");
  } else if (server_of(*event.room_id) != server_of(*event.sender)) {
    return rules.reject("1.2", "1.2", "the room id is of another server than the sender");
  }
  // 1.3
  if (const auto raw = json::find_raw(event.content, "room_version")) {
    const auto id = json::unquote(*raw);
    if (!id || find_room_version(*id) == nullptr) {
      return rules.reject("1.3", "1.3", "the room version is not recognised");
    }
  }
  // 1.4
  if (!version.creator_is_sender && !json::find_raw(event.content, "creator")) {
    return rules.reject("1.4", "1.4", "the create event names no creator");
  }
  if (version.privileged_creators) {
    if (const auto raw = json::find_raw(event.content, "additional_creators")) {
      bool valid = raw->starts_with('[');
      json::each_raw_element(*raw, [&](std::string_view element) {
        const auto user = json::unquote(element);
        valid = valid && user && parse_user_id(*user).ok();
      });
      if (!valid) return rules.reject("1.4", "1.4", "additional_creators is not an array of user ids");
    }
  }
  return allow;
}

bool is_implied_create_event(const RoomId& room_id, const EventId& create_event) {
  return room_id == room_id_of_create_event(create_event);
}

}  // namespace

Error to_error(const Rejection& rejection) {
  return denied("forbidden", std::string(rejection.text) + " (authorization rule " + std::string(rejection.rule) + ")");
}

std::optional<Rejection> check_auth_rules(const AuthSubject& event, const RoomVersion& version,
                                          const AuthState& state) {
  const Rules rules{event, version, state};
  // 1.
  if (event.type == "m.room.create") return check_create(rules);
  // Room version 12, 2.; before, 2.4 and 2.5 say the same by way of auth_events.
  const RoomCreation* creation = state.creation();
  if (creation == nullptr) return rules.reject("2.4", "2", "the room has no create event");
  if (version.create_event_is_implied ? !is_implied_create_event(*event.room_id, creation->event_id)
                                      : *event.room_id != creation->room_id) {
    return rules.reject("2.5", "2", "the event is of another room than the create event");
  }
  // 3. (In room version 12, whose rule 2 is new, this one and all that follow have the next number.)
  if (!creation->federate && server_of(*event.sender) != server_of(creation->sender)) {
    return rules.reject("3", "4", "the room is closed to other servers");
  }
  // 4.
  if (event.type == "m.room.member") return auth::check_member(rules);
  // 5.
  if (state.membership_of(*event.sender) != Membership::join) {
    return rules.reject("5", "6", "the sender is not joined to the room");
  }
  const std::int64_t sender_level = rules.sender_level();
  // 6.
  if (event.type == "m.room.third_party_invite") {
    if (sender_level >= state.power_levels().invite()) return allow;
    return rules.reject("6.1", "7.1", "the sender may not invite");
  }
  // 7.
  if (state.power_levels().to_send(event.type, event.state_key.has_value()) > sender_level) {
    return rules.reject("7", "8", "the sender's power level is too low for this type of event");
  }
  // 8.
  if (event.state_key && event.state_key->starts_with('@') && *event.state_key != event.sender->view()) {
    return rules.reject("8", "9", "the state key is the id of another user");
  }
  // 9.
  if (event.type == "m.room.power_levels") return auth::check_power_levels(rules);
  // 10.
  return allow;
}

std::optional<Rejection> check_auth_events(const Event& event, std::span<const AuthEvent> auth_events,
                                           const Event& create_event) {
  const AuthSubject subject = AuthSubject::of(event);
  const RoomVersion& version = event.room_version();
  const auto reject = [&](std::string_view in_10, std::string_view in_12, std::string_view text) {
    return std::optional(Rejection{version.create_event_is_implied ? in_12 : in_10, text});
  };
  if (event.type() == "m.room.create") return std::nullopt;  // rule 1 alone decides
  // Room version 12, 2.
  if (version.create_event_is_implied &&
      (!create_event || !is_implied_create_event(event.room_id(), create_event.event_id()))) {
    return reject("2", "2", "the room id does not name an accepted create event");
  }
  const auto selected = required_auth_events(subject, version);
  bool has_create = false;
  for (std::size_t i = 0; i < auth_events.size(); ++i) {
    const auto& [auth_event, rejected] = auth_events[i];
    const auto same_entry = [&](const AuthEvent& other) {
      return other.event.type() == auth_event.type() && other.event.state_key() == auth_event.state_key();
    };
    // 2.1
    if (std::any_of(auth_events.begin(), auth_events.begin() + static_cast<std::ptrdiff_t>(i), same_entry)) {
      return reject("2.1", "3.1", "two auth events have the same type and state key");
    }
    // 2.2
    const auto is_entry = [&](const StateEntry& entry) { return auth_event.is_state(entry.type, entry.state_key); };
    if (std::none_of(selected.begin(), selected.end(), is_entry)) {
      return reject("2.2", "3.2", "an auth event is not one that the event needs");
    }
    // 2.3
    if (rejected) return reject("2.3", "3.3", "an auth event was rejected");
    has_create = has_create || auth_event.is_state("m.room.create", "");
    // 2.5
    if (auth_event.room_id() != event.room_id()) return reject("2.5", "3.5", "an auth event is of another room");
  }
  // 2.4
  if (!version.create_event_is_implied && !has_create) {
    return reject("2.4", "2", "the create event is not among the auth events");
  }
  return std::nullopt;
}

bool may_apply_redaction(const Event& redaction, const Event& redacted, const PowerLevels& levels) {
  if (redaction.room_id() != redacted.room_id()) return false;
  return levels.of_user(redaction.sender()) >= levels.redact() ||
         server_of(redaction.sender()) == server_of(redacted.sender());
}

}  // namespace backplane::matrix
