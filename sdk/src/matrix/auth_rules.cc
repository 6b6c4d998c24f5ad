#include "backplane/matrix/auth_rules.h"

#include <algorithm>

#include "base/json_scanner.h"
#include "matrix/auth_rules_detail.h"

namespace backplane::matrix {
namespace {

using auth::allow;
using auth::rejection;
using auth::Rule;
using auth::Rules;
using auth::Verdict;

/// Rule 1.
Verdict check_create(const Rules& rules) {
  const auto& [event, version, state] = rules;
  // 1.1
  if (event.prev_event_count != 0) return rules.reject(Rule::create_has_prev_events);
  // 1.2
  if (version.room_id_format == RoomIdFormat::create_event_hash) {
    if (event.carries_room_id) return rules.reject(Rule::create_has_room_id);
  } else if (server_of(*event.room_id) != server_of(*event.sender)) {
    return rules.reject(Rule::create_is_of_other_server);
  }
  // 1.3
  if (const auto raw = json::find_raw(event.content, "room_version")) {
    const auto id = json::unquote(*raw);
    if (!id || find_room_version(*id) == nullptr) {
      return rules.reject(Rule::room_version_is_unknown);
    }
  }
  // Room versions until 10, 1.4
  if (!version.creator_is_sender && !json::find_raw(event.content, "creator")) {
    return rules.reject(Rule::create_has_no_creator);
  }
  // Room version 12, 1.4
  if (version.privileged_creators) {
    if (const auto raw = json::find_raw(event.content, "additional_creators")) {
      bool valid = raw->starts_with('[');
      json::each_raw_element(*raw, [&](std::string_view element) {
        const auto user = json::unquote(element);
        valid = valid && user && parse_user_id(*user).ok();
      });
      if (!valid) return rules.reject(Rule::additional_creators_are_malformed);
    }
  }
  return allow;
}

/// Room versions until 5, rule 4.
Verdict check_aliases(const Rules& rules) {
  // 4.1
  if (!rules.event.state_key) return rules.reject(Rule::aliases_have_no_state_key);
  // 4.2
  if (server_of(*rules.event.sender).view() != *rules.event.state_key) {
    return rules.reject(Rule::aliases_are_of_other_server);
  }
  return allow;  // 4.3
}

/// Room versions 1 and 2, rule 11.
Verdict check_redaction(const Rules& rules) {
  // 11.1
  if (rules.sender_level() >= rules.state.power_levels().redact()) return allow;
  // 11.2
  const ServerName server = server_of(rules.event.redacts);
  if (!server.empty() && is_on_server(rules.event.event_id, server)) return allow;
  return rules.reject(Rule::may_not_redact);  // 11.3
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
  if (creation == nullptr) return rules.reject(Rule::no_create_event);
  if (version.create_event_is_implied ? !is_implied_create_event(*event.room_id, creation->event_id)
                                      : *event.room_id != creation->room_id) {
    return rules.reject(Rule::room_id_is_of_no_create_event);
  }
  // 3. (Room versions until 5 and room version 12 have one more rule: this one or the next ones are a number higher.)
  if (!creation->federate && server_of(*event.sender) != server_of(creation->sender)) {
    return rules.reject(Rule::room_is_not_federated);
  }
  // Room versions until 5, 4.
  if (version.auth_of_aliases && event.type == "m.room.aliases") return check_aliases(rules);
  // 4.
  if (event.type == "m.room.member") return auth::check_member(rules);
  // 5.
  if (state.membership_of(*event.sender) != Membership::join) {
    return rules.reject(Rule::sender_is_not_joined);
  }
  const std::int64_t sender_level = rules.sender_level();
  // 6.
  if (event.type == "m.room.third_party_invite") {
    if (sender_level >= state.power_levels().invite()) return allow;
    return rules.reject(Rule::may_not_invite_third_party);
  }
  // 7.
  if (state.power_levels().to_send(event.type, event.state_key.has_value()) > sender_level) {
    return rules.reject(Rule::level_is_too_low);
  }
  // 8.
  if (event.state_key && event.state_key->starts_with('@') && *event.state_key != event.sender->view()) {
    return rules.reject(Rule::state_key_is_of_other_user);
  }
  // 9.
  if (event.type == "m.room.power_levels") return auth::check_power_levels(rules);
  // Room versions 1 and 2, 11.
  if (version.auth_of_redactions && event.type == "m.room.redaction") return check_redaction(rules);
  // 10.
  return allow;
}

std::optional<Rejection> check_auth_events(const Event& event, std::span<const AuthEvent> auth_events,
                                           const Event& create_event) {
  const AuthSubject subject = AuthSubject::of(event);
  const RoomVersion& version = event.room_version();
  if (event.type() == "m.room.create") return std::nullopt;  // rule 1 alone decides
  // Room version 12, 2.
  if (version.create_event_is_implied &&
      (!create_event || !is_implied_create_event(event.room_id(), create_event.event_id()))) {
    return rejection(Rule::room_id_is_of_no_create_event, version);
  }
  const auto selected = required_auth_events(subject, version);
  bool has_create = false;
  for (std::size_t i = 0; i < auth_events.size(); ++i) {
    const Event& auth_event = auth_events[i].event;
    const auto same_entry = [&](const AuthEvent& other) {
      return other.event.type() == auth_event.type() && other.event.state_key() == auth_event.state_key();
    };
    // 2.1
    if (std::any_of(auth_events.begin(), auth_events.begin() + static_cast<std::ptrdiff_t>(i), same_entry)) {
      return rejection(Rule::auth_event_is_repeated, version);
    }
    // 2.2
    const auto is_entry = [&](const StateEntry& entry) { return auth_event.is_state(entry.type, entry.state_key); };
    if (std::none_of(selected.begin(), selected.end(), is_entry)) {
      return rejection(Rule::auth_event_is_not_selected, version);
    }
    // 2.3
    if (auth_events[i].rejected) return rejection(Rule::auth_event_was_rejected, version);
    has_create = has_create || auth_event.is_state("m.room.create", "");
    // 2.5
    if (auth_event.room_id() != event.room_id()) return rejection(Rule::auth_event_is_of_other_room, version);
  }
  // 2.4
  if (!version.create_event_is_implied && !has_create) {
    return rejection(Rule::no_create_event, version);
  }
  return std::nullopt;
}

bool may_apply_redaction(const Event& redaction, const Event& redacted, const PowerLevels& levels) {
  if (redaction.room_id() != redacted.room_id()) return false;
  if (redaction.room_version().auth_of_redactions) return true;
  return levels.of_user(redaction.sender()) >= levels.redact() ||
         server_of(redaction.sender()) == server_of(redacted.sender());
}

}  // namespace backplane::matrix
