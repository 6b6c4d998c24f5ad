// What rooms cost in sdk/matrix: checking what another server sent (all but its signatures, whose keys others look
// after), and state resolution in a room of many members.
//
//   matrix_bench [--benchmark_filter=…]
#include <benchmark/benchmark.h>

#include <string>
#include <unordered_map>
#include <vector>

#include "backplane/base/json.h"
#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/auth_state.h"
#include "backplane/matrix/event_builder.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/redaction.h"
#include "backplane/matrix/state_resolution.h"

namespace {

using namespace backplane;
using namespace backplane::matrix;

const std::string creator = "@creator:a.example";

std::string user(int i) { return "@user" + std::to_string(i) + ":s" + std::to_string(i % 500) + ".example"; }

std::string levels(int moderators) {
  std::string users;
  for (int i = 0; i < moderators; ++i) users += (users.empty() ? "" : ",") + json::quoted(user(i)) + ":50";
  const auto content = json::Document::parse(
      R"({"ban":50,"events":{"m.room.name":50,"m.room.power_levels":100},"kick":50,"users":{)" + users + "}}");
  return content->root().canonical();
}

EventDraft draft_of(RoomId room_id, const std::string& sender, std::string type, std::optional<std::string> state_key,
                    std::string content) {
  EventDraft out;
  out.room_id = std::move(room_id);
  out.sender = UserId(sender);
  out.type = std::move(type);
  out.state_key = std::move(state_key);
  out.content = std::move(content);
  return out;
}

/// A room as another server would send it: signed events, and the state before the last one.
struct SentRoom {
  const RoomVersion& version;
  SigningKey key = SigningKey::from_seed("1", std::string(32, 's')).value();
  RoomId room_id;
  std::vector<Event> state;
  EventId tip;

  explicit SentRoom(const RoomVersion& v, int moderators) : version(v) {
    if (v.room_id_format == RoomIdFormat::with_domain) room_id = RoomId("!room:a.example");
    const Event create =
        add("m.room.create", "", creator, v.creator_is_sender ? "{}" : R"({"creator":"@creator:a.example"})");
    room_id = create.room_id();
    add("m.room.member", creator, creator, R"({"membership":"join"})");
    add("m.room.power_levels", "", creator, levels(moderators));
    add("m.room.join_rules", "", creator, R"({"join_rule":"public"})");
    add("m.room.member", user(1), user(1),
        R"({"avatar_url":"mxc://a.example/x","displayname":"A","membership":"join"})");
  }
  Event add(std::string type, std::optional<std::string> state_key, const std::string& sender, std::string content) {
    EventDraft draft = draft_of(room_id, sender, std::move(type), std::move(state_key), std::move(content));
    if (!tip.empty()) draft.prev_events = {tip};
    for (const auto& [wanted, wanted_key] : required_auth_events(AuthSubject::of(draft), version)) {
      for (const auto& event : state) {
        if (event.is_state(wanted, wanted_key)) draft.auth_events.push_back(event.event_id());
      }
    }
    draft.depth = static_cast<std::int64_t>(state.size()) + 1;
    draft.origin_server_ts = 1'700'000'000'000;
    const Event event = build_event(draft, version, key).value();
    tip = event.event_id();
    if (event.is_state()) state.push_back(event);
    return event;
  }
};

/// Parse, content hash, id, signers, and the rules by auth events, state before and current state.
void check_pdu(benchmark::State& bench, const char* version, std::string type, std::string content, int moderators) {
  SentRoom room(*find_room_version(version), moderators);
  const Event create = room.state.front();
  const std::vector<Event> state = room.state;
  const bool is_state = type != "m.room.message";
  const std::string sender = type == "m.room.power_levels" ? creator : user(1);
  const std::string state_key = type == "m.room.member" ? sender : "";
  const Event sent = room.add(type, is_state ? std::optional(state_key) : std::nullopt, sender, std::move(content));
  const std::string text(sent.json());
  std::vector<AuthEvent> auth_events;
  std::vector<Event> by_auth_events{create};
  for (const auto& id : sent.auth_events()) {
    for (const auto& event : state) {
      if (event.event_id() != id) continue;
      auth_events.push_back({event});
      by_auth_events.push_back(event);
    }
  }
  const EventAuthState before = auth_state_of(state);  // a server has it at hand
  for (auto _ : bench) {
    const auto event = Event::parse_untrusted(text, room.version);
    if (!event || event->event_id() != sent.event_id()) bench.SkipWithError("the event was not taken");
    benchmark::DoNotOptimize(required_signers(*event));
    benchmark::DoNotOptimize(signed_form(event->json(), room.version));
    const AuthSubject subject = AuthSubject::of(*event);
    const bool rejected = check_auth_events(*event, auth_events, create).has_value() ||
                          check_auth_rules(subject, room.version, auth_state_of(by_auth_events)).has_value() ||
                          check_auth_rules(subject, room.version, before).has_value() ||
                          check_auth_rules(subject, room.version, before).has_value();
    if (rejected) bench.SkipWithError("the event was rejected");
  }
  bench.counters["bytes"] = static_cast<double>(text.size());
}

constexpr const char* message = R"({"body":"A message of a common length, as people write them.","msgtype":"m.text"})";
constexpr const char* join = R"({"avatar_url":"mxc://a.example/x","displayname":"Another","membership":"join"})";
BENCHMARK_CAPTURE(check_pdu, message_10, "10", "m.room.message", message, 10)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(check_pdu, message_12, "12", "m.room.message", message, 10)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(check_pdu, message_200_moderators, "12", "m.room.message", message, 200)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(check_pdu, member, "12", "m.room.member", join, 10)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(check_pdu, power_levels_200, "12", "m.room.power_levels", levels(200), 200)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(check_pdu, message_of_60_kib, "12", "m.room.message",
                  R"({"body":")" + std::string(60000, 'x') + "\"}", 10)
    ->Unit(benchmark::kMicrosecond);

void redaction(benchmark::State& bench) {
  SentRoom room(*find_room_version("12"), 10);
  const Event event = room.add("m.room.member", user(1), user(1), join);
  for (auto _ : bench) benchmark::DoNotOptimize(redact_json(event.json(), room.version));
}
BENCHMARK(redaction)->Unit(benchmark::kMicrosecond);

/// A room of many members and two branches: on each, half of `conflicts` members change their profile; on the first a
/// moderator is demoted, on the second that moderator bans ten others.
class LargeRoom final : public EventSource {
 public:
  LargeRoom(const RoomVersion& version, int members, int conflicts) : version_(version) {
    if (version.room_id_format == RoomIdFormat::with_domain) room_id_ = "!room:a.example";
    const EventId create = put("m.room.create", "", creator,
                               version.creator_is_sender ? "{}" : R"({"creator":"@creator:a.example"})", {}, trunk_);
    if (room_id_.empty()) room_id_ = room_id_of_create_event(create).str();
    set("m.room.member", creator, creator, R"({"membership":"join"})", trunk_);
    set("m.room.power_levels", "", creator, levels(50), trunk_);
    set("m.room.join_rules", "", creator, R"({"join_rule":"public"})", trunk_);
    for (int i = 0; i < members; ++i) {
      set("m.room.member", user(i), user(i), R"({"membership":"join"})", trunk_);
    }
    for (int i = 0; i < members; i += 5) {  // chains are longer than a member
      set("m.room.member", user(i), user(i), R"({"displayname":"x","membership":"join"})", trunk_);
    }
    StateMap first = trunk_, second = trunk_;
    for (int i = 0; i < conflicts; ++i) {
      StateMap& branch = i % 2 == 0 ? first : second;
      set("m.room.member", user(100 + i), user(100 + i), R"({"displayname":"y","membership":"join"})", branch);
    }
    set("m.room.power_levels", "", creator, levels(40), first);
    for (int i = 0; i < 10; ++i) {
      set("m.room.member", user(members - 1 - i), user(45), R"({"membership":"ban"})", second);
    }
    states = {std::move(first), std::move(second)};
  }
  Found find(const EventId& event_id) override {
    ++finds;
    const auto at = events_.find(event_id);
    return at == events_.end() ? Found{} : Found{at->second, false};
  }

  std::vector<StateMap> states;
  std::size_t finds = 0;

 private:
  void set(std::string type, std::string state_key, const std::string& sender, std::string content, StateMap& state) {
    const EventDraft draft = draft_of(RoomId(room_id_), sender, type, state_key, content);
    std::vector<EventId> auth_events;
    for (const auto& [wanted, wanted_key] : required_auth_events(AuthSubject::of(draft), version_)) {
      const auto at = state.find({std::string(wanted), wanted_key});
      if (at != state.end()) auth_events.push_back(at->second);
    }
    put(type, state_key, sender, content, auth_events, state);
  }
  EventId put(const std::string& type, const std::string& state_key, const std::string& sender,
              const std::string& content, const std::vector<EventId>& auth_events, StateMap& state) {
    std::string ids;
    for (const auto& id : auth_events) ids += (ids.empty() ? "" : ",") + json::quoted(id.view());
    std::string text = R"({"auth_events":[)" + ids + R"(],"content":)" + content + R"(,"depth":1,"origin_server_ts":)" +
                       std::to_string(1'700'000'000'000 + static_cast<std::int64_t>(events_.size()));
    if (!room_id_.empty()) text += R"(,"room_id":)" + json::quoted(room_id_);
    text += R"(,"prev_events":[],"sender":)" + json::quoted(sender) + R"(,"state_key":)" + json::quoted(state_key) +
            R"(,"type":)" + json::quoted(type) + "}";
    EventId id = event_id_of_hash(sha256(text), version_);
    state.insert_or_assign({type, state_key}, id);
    events_.emplace(id, Event::from_stored(std::move(text), id, version_));
    return id;
  }

  const RoomVersion& version_;
  std::string room_id_;
  StateMap trunk_;
  std::unordered_map<EventId, Event> events_;
};

void resolution(benchmark::State& bench, const char* version) {
  LargeRoom room(*find_room_version(version), static_cast<int>(bench.range(0)), static_cast<int>(bench.range(1)));
  for (auto _ : bench) {
    room.finds = 0;
    const auto state = resolve_state(*find_room_version(version), room.states, room);
    if (!state || state->size() != room.states[0].size()) bench.SkipWithError("the states were not resolved");
  }
  bench.counters["finds"] = static_cast<double>(room.finds);
}
BENCHMARK_CAPTURE(resolution, v2, "11")
    ->Args({1000, 100})
    ->Args({100000, 1000})
    ->Args({100000, 50000})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(resolution, v2_1, "12")
    ->Args({1000, 100})
    ->Args({100000, 1000})
    ->Args({100000, 50000})
    ->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
