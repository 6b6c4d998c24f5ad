// A room of a room_server in a FakeHost, and other servers that have users in it, who make events as the templates or
// the current state tell them.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backplane/http/errors.h"
#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/event_builder.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/signing.h"
#include "room_fixture.h"

namespace backplane::room_server {

inline const ServerName farther_server("farther.example");

struct FarFixture : RoomFixture {
  using Outcome = api::ReceivedOutcome;

  /// A room of Alice's.
  void begin(std::string version, const std::string& preset = "public_chat") {
    room = make_room(preset, version);
    room_version = matrix::find_room_version(version);
  }

  /// With something that redaction takes away.
  static std::string member_content(std::string_view membership) {
    return R"({"membership":")" + std::string(membership) + R"(","reason":"why not"})";
  }
  matrix::Event event_of(const EventId& event_id) {
    return matrix::Event::from_stored(body(event_id).event.text, event_id, *room_version);
  }
  /// What clients were told of last.
  EventId last() {
    EventId event_id;
    for (const auto& record : records())
      if (record.room_id == room && record.kind == api::RoomEventKind::new_event) event_id = record.event_id;
    return event_id;
  }
  /// The current state event, as Alice sees it; empty when there is none.
  EventId state_id(std::string_view type, std::string_view state_key) {
    const auto found = rooms->get_state_event({}, {room, alice, std::string(type), std::string(state_key)});
    return found ? found->event.event_id : EventId();
  }

  /// An event of somebody else's that follows the last one, or those named.
  matrix::Event far_event(const UserId& sender, std::string type, std::optional<std::string> state_key,
                          std::string content, std::vector<EventId> prev_events = {}) {
    matrix::EventDraft draft;
    draft.room_id = room;
    draft.sender = sender;
    draft.type = std::move(type);
    draft.state_key = std::move(state_key);
    draft.content = std::move(content);
    draft.prev_events = prev_events.empty() ? std::vector{last()} : std::move(prev_events);
    draft.depth = 100 + ++made;
    draft.origin_server_ts = 1'000'000 + made;
    draft.event_id = EventId("$" + std::to_string(made) + ":" + matrix::server_of(sender).str());
    for (const auto& [auth_type, key] : matrix::required_auth_events(matrix::AuthSubject::of(draft), *room_version)) {
      if (EventId event_id = state_id(auth_type, key); !event_id.empty()) draft.auth_events.push_back(event_id);
    }
    draft.prev_event_hashes.resize(draft.prev_events.size());
    draft.auth_event_hashes.resize(draft.auth_events.size());
    const auto built = matrix::build_event(draft, *room_version, far_key);
    EXPECT_EQ(outcome(built), "ok") << built.error().text;
    return built ? *built : matrix::Event();
  }
  Outcome receive(const matrix::Event& event, api::ReceivedKind kind = api::ReceivedKind::new_event) {
    const auto response = rooms->receive_events({}, {room, {{{std::string(event.json())}, kind, std::nullopt}}});
    EXPECT_EQ(outcome(response), "ok") << response.error().text;
    return response ? response->results[0].outcome : Outcome::invalid;
  }
  /// It is made and received; answers its id.
  EventId say_from_afar(const UserId& sender, std::vector<EventId> prev_events = {}) {
    const auto event =
        far_event(sender, "m.room.message", std::nullopt, R"({"body":"from afar"})", std::move(prev_events));
    EXPECT_EQ(receive(event), Outcome::accepted);
    return event.event_id();
  }
  EventId member_from_afar(const UserId& sender, const UserId& user, std::string_view membership) {
    const auto event = far_event(sender, "m.room.member", user.str(), member_content(membership));
    EXPECT_EQ(receive(event), Outcome::accepted) << user.view() << " " << membership;
    return event.event_id();
  }
  EventId join_from_afar(const UserId& user) { return member_from_afar(user, user, "join"); }
  EventId leave_from_afar(const UserId& user) { return member_from_afar(user, user, "leave"); }

  Result<api::MakeMembershipEventResponse> make(const UserId& user,
                                                matrix::Membership membership = matrix::Membership::join,
                                                std::vector<RoomVersionId> room_versions = {}) {
    return rooms->make_membership_event({}, {room, user, membership, std::move(room_versions)});
  }
  /// What the other server makes of a template.
  matrix::Event finish(std::string event_template, const UserId& user) {
    if (room_version->event_format == matrix::EventFormat::event_id_in_event) {
      const std::string id = "\"event_id\":\"$" + std::to_string(++made) + ":" + matrix::server_of(user).str() + "\",";
      event_template.insert(event_template.find("\"origin\""), id);
    }
    const std::string text = matrix::hash_and_sign(event_template, *room_version, matrix::server_of(user), far_key);
    const auto parsed = matrix::Event::parse_untrusted(text, *room_version);
    EXPECT_EQ(outcome(parsed), "ok") << parsed.error().text << "\n" << text;
    return parsed ? *parsed : matrix::Event();
  }
  matrix::Event finish(const Result<api::MakeMembershipEventResponse>& made_here, const UserId& user) {
    EXPECT_EQ(outcome(made_here), "ok") << made_here.error().text;
    return made_here ? finish(made_here->event.text, user) : matrix::Event();
  }
  template <class T>
  static std::string errcode(const Result<T>& result) {
    return result ? "ok" : std::string(http::standard_error(result.error().code, result.error().reason).errcode);
  }

  testing::FakeRandom chance{7};
  const matrix::SigningKey far_key = std::move(*matrix::SigningKey::generate("far", chance));
  RoomId room;
  const matrix::RoomVersion* room_version = nullptr;
  int made = 0;
};

/// The room versions whose formats or rules differ in what other servers are told.
inline auto told_versions() { return ::testing::Values("1", "6", "8", "10", "11", "12"); }
inline std::string version_name(const ::testing::TestParamInfo<const char*>& instance) {
  return std::string("version_") + instance.param;
}

}  // namespace backplane::room_server
