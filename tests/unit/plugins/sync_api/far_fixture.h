// A room with a user of another server, who says things that come here late.
#pragma once

#include "sync_fixture.h"
#include "unit/plugins/room_server/far_server.h"

namespace backplane::sync_api {

inline const std::string dave = "@dave:far.example";

struct FarFixture : SyncFixture {
  FarFixture() {
    host.stop();
    host.provide(far_server.federation);
    host.provide(far_server.keys);
    start();
  }
  ~FarFixture() override { host.stop(); }  // before those whom it asks

  /// Dave joins what so far is a room of this server alone.
  void meet() {
    std::vector<matrix::Event> line;
    for (const auto& record : host.records("room_events")) {
      const auto told = *from_json<api::RoomEventRecord>(record->payload);
      if (told.room_id != room || told.kind != api::RoomEventKind::new_event) continue;
      line.push_back(matrix::Event::from_stored(told.event.text, told.event_id, *matrix::find_room_version("11")));
    }
    graph.emplace(*matrix::find_room_version("11"), line, key);
    last = graph->add({dave, "m.room.member", dave, R"({"membership":"join"})", {line.back().event_id()}});
    receive(last);
  }
  /// Dave says m0, m1 and so on; the first is `first`.
  void say_far(int count, int first = 0) {
    for (int i = first; i < first + count; ++i)
      last = graph->add({dave, "m.room.message", {}, R"({"body":"m)" + std::to_string(i) + "\"}", {last}});
  }
  void set_far(std::string type, std::string state_key, std::string content) {
    last = graph->add({dave, std::move(type), std::move(state_key), std::move(content), {last}});
  }
  /// Of what was said only this is sent here.
  void receive(const EventId& event_id) {
    api::ReceivedEvent event;
    event.event.text = graph->find(event_id).event.json();
    const auto response = rooms->receive_events({}, {room, {event}, ServerName("far.example")});
    EXPECT_TRUE(response) << (response ? "" : response.error().text);
  }

  testing::FakeRandom chance{7};
  const matrix::SigningKey key = std::move(*matrix::SigningKey::generate("far", chance));
  std::optional<matrix::RoomGraph> graph;
  room_server::FarServer far_server{graph};
  RoomId room;
  EventId last;
};

}  // namespace backplane::sync_api
