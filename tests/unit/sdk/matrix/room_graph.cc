#include "room_graph.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "backplane/base/encoding.h"
#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/event_builder.h"
#include "test_events.h"

namespace backplane::matrix {
namespace {

std::string references(const std::vector<EventId>& ids, bool pairs) {
  std::string out;
  for (const auto& id : ids) {
    out += out.empty() ? "" : ",";
    out += pairs ? "[" + json::quoted(id.view()) + R"(,{"sha256":"x"}])" : json::quoted(id.view());
  }
  return "[" + out + "]";
}

}  // namespace

RoomGraph::RoomGraph(const RoomVersion& version, std::uint64_t seed, std::string creator)
    : version_(version), seed_(seed) {
  if (version.room_id_format == RoomIdFormat::with_domain) room_id_ = RoomId("!room:a");
  Draft draft{creator, "m.room.create", ""};
  if (!version.creator_is_sender) draft.content = R"({"creator":")" + creator + "\"}";
  create_event_ = add(draft);
  room_id_ = nodes_.at(create_event_).event.room_id();
}

RoomGraph::RoomGraph(const RoomVersion& version, const std::vector<Event>& line, const SigningKey& key)
    : version_(version),
      seed_(0),
      room_id_(line.front().room_id()),
      create_event_(line.front().event_id()),
      key_(&key) {
  for (const Event& event : line) add(event);
}

EventId RoomGraph::next_id(const std::string& sender) const {
  const std::string number = std::to_string(order_.size());
  std::string id = "$" + hex(as_text(sha256(std::to_string(seed_) + "/" + number))).substr(0, 8) + "_" + number;
  if (version_.event_format == EventFormat::event_id_in_event) id += ":" + server_of(UserId(sender)).str();
  return EventId(id);
}

Event RoomGraph::make(const Draft& draft, const StateMap& state, const EventId& event_id) const {
  const bool pairs = version_.event_format == EventFormat::event_id_in_event;
  std::int64_t depth = 0;
  for (const auto& id : draft.prev_events) depth = std::max(depth, nodes_.at(id).event.depth());
  const auto text = [&](const std::vector<EventId>& auth_events) {
    std::string out = R"({"auth_events":)" + references(auth_events, pairs) + R"(,"content":)" + draft.content;
    out += R"(,"depth":)" + std::to_string(depth + 1);
    if (pairs) out += R"(,"event_id":)" + json::quoted(event_id.view());
    out += R"(,"origin_server_ts":)" + std::to_string(draft.origin_server_ts != 0 ? draft.origin_server_ts : clock_);
    out += R"(,"prev_events":)" + references(draft.prev_events, pairs);
    if (!room_id_.empty()) out += R"(,"room_id":)" + json::quoted(room_id_.view());
    out += R"(,"sender":)" + json::quoted(draft.sender);
    if (draft.state_key) out += R"(,"state_key":)" + json::quoted(*draft.state_key);
    return out + R"(,"type":)" + json::quoted(draft.type) + "}";
  };
  const auto finish = [&](const std::vector<EventId>& auth_events) {
    if (key_ == nullptr) return Event::from_stored(text(auth_events), event_id, version_);
    auto built = build_event(
        {room_id_, UserId(draft.sender), draft.type, draft.state_key, draft.content, draft.prev_events, auth_events,
         depth + 1, draft.origin_server_ts != 0 ? draft.origin_server_ts : clock_, std::nullopt},
        version_, *key_);
    EXPECT_TRUE(built) << built.error().text;
    return built ? *built : Event();
  };
  if (draft.auth_events) return finish(*draft.auth_events);
  const Event without = Event::from_stored(text({}), event_id, version_);
  std::vector<EventId> auth_events;
  for (const auto& [type, state_key] : required_auth_events(AuthSubject::of(without), version_)) {
    const auto at = state.find({std::string(type), state_key});
    if (at != state.end()) auth_events.push_back(at->second);
  }
  return finish(auth_events);
}

bool RoomGraph::judge(const Event& event, const StateMap& state) const {
  const EventAuthState auth_state([&](std::string_view type, std::string_view state_key) {
    const auto at = state.find({std::string(type), std::string(state_key)});
    return at == state.end() ? Event() : nodes_.at(at->second).event;
  });
  return !check_auth_rules(AuthSubject::of(event), version_, auth_state);
}

EventId RoomGraph::add(const Draft& draft) {
  clock_ += 1000;
  const Event event = make(draft, resolve(draft.prev_events), next_id(draft.sender));
  add(event);
  return event.event_id();
}

void RoomGraph::add(const Event& event) {
  clock_ = std::max(clock_, event.origin_server_ts());
  Node node;
  node.event = event;
  node.state_after = resolve(event.prev_events());
  node.rejected = !judge(event, node.state_after);
  if (!node.rejected && event.is_state())
    node.state_after[{std::string(event.type()), std::string(*event.state_key())}] = event.event_id();
  if (nodes_.emplace(event.event_id(), std::move(node)).second) order_.push_back(event.event_id());
}

bool RoomGraph::allows(const Draft& draft) {
  const StateMap state = resolve(draft.prev_events);
  return judge(make(draft, state, EventId("$draft:a")), state);
}

std::vector<StateMap> RoomGraph::states_after(const std::vector<EventId>& event_ids) const {
  std::vector<StateMap> out;
  for (const auto& id : event_ids) out.push_back(state_after(id));
  return out;
}

StateMap RoomGraph::resolve(const std::vector<EventId>& event_ids) {
  auto result = resolve_state(version_, states_after(event_ids), *this);
  EXPECT_TRUE(result) << result.error().text;
  return result ? std::move(*result) : StateMap();
}

std::optional<EventId> RoomGraph::resolved(const std::vector<EventId>& event_ids, const std::string& type,
                                           const std::string& state_key) {
  const StateMap state = resolve(event_ids);
  const auto at = state.find({type, state_key});
  return at == state.end() ? std::nullopt : std::optional(at->second);
}

EventSource::Found RoomGraph::find(const EventId& event_id) {
  ++finds;
  const auto at = nodes_.find(event_id);
  return at == nodes_.end() ? Found{} : Found{at->second.event, at->second.rejected};
}

}  // namespace backplane::matrix
