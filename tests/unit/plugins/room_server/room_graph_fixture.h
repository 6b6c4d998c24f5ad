// A room of Alice's in which users of other servers are, too, and the same room as those see it.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backplane/matrix/event.h"
#include "backplane/matrix/event_builder.h"
#include "room_fixture.h"
#include "unit/sdk/matrix/room_fight.h"

namespace backplane::room_server {

using api::ReceivedKind;
using api::ReceivedOutcome;

inline std::string member_content(std::string_view membership) {
  return R"({"membership":")" + std::string(membership) + "\"}";
}

struct RoomGraphFixture : RoomFixture {
  RoomGraphFixture() { begin("public_chat", "11"); }

  /// A room of Alice's, and the same as others see it.
  void begin(const std::string& preset, const std::string& version) {
    room = make_room(preset, version);
    graph.emplace(*matrix::find_room_version(version), local_events(), key);
  }
  /// What clients were told of.
  std::vector<matrix::Event> all_events() {
    std::vector<matrix::Event> events;
    for (const auto& record : records()) {
      if (record.room_id == room && record.kind == api::RoomEventKind::new_event)
        events.push_back(event_of(record.event_id));
    }
    return events;
  }
  /// What was made here.
  std::vector<matrix::Event> local_events() {
    std::vector<matrix::Event> events = all_events();
    std::erase_if(events, [](const auto& event) { return !event.sender().view().ends_with(":test.example"); });
    return events;
  }
  matrix::Event event_of(const EventId& event_id) {
    const api::EventBody found = body(event_id);
    return matrix::Event::from_stored(found.event.text, event_id, *matrix::find_room_version(found.room_version));
  }
  /// Tells the others of what was made here meanwhile.
  void tell() {
    for (const matrix::Event& event : local_events()) {
      if (!graph->find(event.event_id()).event) graph->add(event);
    }
  }

  EventId last_local() { return local_events().back().event_id(); }
  /// An event of somebody else's, which nobody here has seen.
  EventId far(const UserId& sender, std::string type, std::optional<std::string> state_key, std::string content,
              std::vector<EventId> prev_events) {
    return graph->add(
        {sender.str(), std::move(type), std::move(state_key), std::move(content), std::move(prev_events)});
  }
  EventId far_message(const UserId& sender, std::vector<EventId> prev_events) {
    return far(sender, "m.room.message", std::nullopt, R"({"body":"from afar"})", std::move(prev_events));
  }
  EventId far_member(const UserId& sender, const UserId& user, std::string_view membership,
                     std::vector<EventId> prev_events) {
    return far(sender, "m.room.member", user.str(), member_content(membership), std::move(prev_events));
  }
  EventId far_topic(const UserId& sender, std::string_view topic, std::vector<EventId> prev_events) {
    return far(sender, "m.room.topic", "", R"({"topic":")" + std::string(topic) + "\"}", std::move(prev_events));
  }

  api::ReceivedEvent received(const EventId& event_id, ReceivedKind kind = ReceivedKind::new_event) {
    return {{std::string(graph->find(event_id).event.json())}, kind, std::nullopt};
  }
  std::vector<api::ReceivedResult> receive(std::vector<api::ReceivedEvent> events) {
    auto response = rooms->receive_events({}, {room, std::move(events)});
    EXPECT_EQ(outcome(response), "ok") << response.error().text;
    return response ? response->results : std::vector<api::ReceivedResult>();
  }
  std::vector<ReceivedOutcome> receive_all(const std::vector<EventId>& event_ids,
                                           ReceivedKind kind = ReceivedKind::new_event) {
    std::vector<api::ReceivedEvent> events;
    for (const EventId& event_id : event_ids) events.push_back(received(event_id, kind));
    std::vector<ReceivedOutcome> outcomes;
    for (const auto& result : receive(std::move(events))) outcomes.push_back(result.outcome);
    return outcomes;
  }
  ReceivedOutcome receive_one(const EventId& event_id, ReceivedKind kind = ReceivedKind::new_event) {
    return receive_all({event_id}, kind).front();
  }
  std::vector<EventId> prev_events_of(const EventId& event_id) { return event_of(event_id).prev_events(); }
  /// Dave is in the room; answers his join.
  EventId join_dave() {
    const EventId join = far_member(dave, dave, "join", {last_local()});
    EXPECT_EQ(receive_one(join), ReceivedOutcome::accepted);
    return join;
  }

  /// And he may set state.
  void join_dave_with_power() {
    join_dave();
    ASSERT_EQ(outcome(put_state(room, alice, "m.room.power_levels",
                                R"({"users":{"@alice:test.example":100,"@dave:far.example":50}})")),
              "ok");
  }

  testing::FakeRandom chance{7};
  const matrix::SigningKey key = std::move(*matrix::SigningKey::generate("far", chance));
  RoomId room;
  std::optional<matrix::RoomGraph> graph;
};

}  // namespace backplane::room_server
