#include <algorithm>

#include "backplane/matrix/auth_rules.h"
#include "matrix/event_references.h"

namespace backplane::matrix {

AuthSubject AuthSubject::of(const Event& event) {
  AuthSubject out;
  out.room_id = &event.room_id();
  out.sender = &event.sender();
  out.type = event.type();
  out.state_key = event.state_key();
  out.content = event.content();
  each_reference(event.prev_events_raw(), event.room_version(), [&](std::string_view raw) {
    if (out.prev_event_count++ == 0) (void)json::plain_string(raw, out.first_prev_event);
  });
  out.carries_room_id = event.carries_room_id();
  if (event.room_version().auth_of_redactions) {
    out.event_id = event.event_id().view();
    if (auto redacts = event.redacts()) out.redacts = *std::move(redacts);
  }
  return out;
}

AuthSubject AuthSubject::of(const EventDraft& draft) {
  AuthSubject out;
  out.room_id = &draft.room_id;
  out.sender = &draft.sender;
  out.type = draft.type;
  if (draft.state_key) out.state_key = *draft.state_key;
  out.content = draft.content;
  out.prev_event_count = draft.prev_events.size();
  if (!draft.prev_events.empty()) out.first_prev_event = draft.prev_events.front().view();
  out.carries_room_id = !draft.room_id.empty();
  out.event_id = draft.event_id.view();
  if (draft.redacts) out.redacts = *draft.redacts;
  return out;
}

std::vector<StateEntry> required_auth_events(const AuthSubject& event, const RoomVersion& version) {
  std::vector<StateEntry> out;
  if (event.type == "m.room.create") return out;
  const auto add = [&out](std::string_view type, std::string_view state_key) {
    StateEntry entry{type, std::string(state_key)};
    if (std::find(out.begin(), out.end(), entry) == out.end()) out.push_back(std::move(entry));
  };
  out.reserve(5);
  if (!version.create_event_is_implied) add("m.room.create", "");
  add("m.room.power_levels", "");
  add("m.room.member", event.sender->view());
  if (event.type != "m.room.member" || !event.state_key) return out;

  add("m.room.member", *event.state_key);
  const auto membership = membership_in(event.content);
  if (membership == Membership::join || membership == Membership::invite || membership == Membership::knock) {
    add("m.room.join_rules", "");
  }
  if (membership == Membership::invite) {
    const auto invite = json::find_raw(event.content, "third_party_invite");
    const auto signed_part = invite ? json::find_raw(*invite, "signed") : std::nullopt;
    const auto token = signed_part ? json::find_raw_string(*signed_part, "token") : std::nullopt;
    if (token) add("m.room.third_party_invite", *token);
  }
  if (membership == Membership::join && version.restricted_join) {
    const auto user = json::find_raw_string(event.content, "join_authorised_via_users_server");
    if (user) add("m.room.member", *user);
  }
  return out;
}

}  // namespace backplane::matrix
