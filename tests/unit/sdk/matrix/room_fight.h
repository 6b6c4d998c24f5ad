// A room whose members fight, for tests of state resolution on random graphs.
#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "room_graph.h"
#include "test_events.h"

namespace backplane::matrix {

/// Grows a room by forks, joins, bans, power struggles and closed doors.
class Fight {
 public:
  Fight(const RoomVersion& version, std::uint64_t seed)
      : room(version, seed, "@creator:a"), random_(seed), version_(version) {
    EventId tip = room.create_event();
    const auto put = [&](const std::string& sender, const std::string& type, const std::string& key,
                         const std::string& content) {
      tip = room.add({sender, type, key, content, {tip}});
    };
    put(users[0], "m.room.member", users[0], R"({"membership":"join"})");
    put(users[0], "m.room.power_levels", "", levels());
    put(users[0], "m.room.join_rules", "", R"({"join_rule":"public"})");
    for (std::size_t i = 1; i < 4; ++i) put(users[i], "m.room.member", users[i], R"({"membership":"join"})");
  }

  /// Goes on where a room is whose members these are: its creator first.
  Fight(const RoomVersion& version, std::uint64_t seed, const std::vector<Event>& line, const SigningKey& key,
        std::vector<std::string> members)
      : room(version, line, key), users(std::move(members)), random_(seed), version_(version) {}

  void grow(int events) {
    for (int i = 0; i < events; ++i) {
      RoomGraph::Draft draft = anything();
      // Most of what happens is allowed; now and then somebody tries what is not.
      for (int tries = 0; tries < 20 && !chance(15) && !room.allows(draft); ++tries) draft = anything();
      room.add(draft);
    }
  }

  /// Some events, most of them late ones.
  std::vector<EventId> some_events(std::size_t most) {
    std::vector<EventId> out;
    for (std::size_t n = 1 + below(most); n > 0; --n) {
      const std::size_t back =
          chance(80) ? below(std::min<std::size_t>(8, room.events().size())) : below(room.events().size());
      const EventId id = room.events()[room.events().size() - 1 - back];
      if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(id);
    }
    return out;
  }
  std::mt19937_64& random() { return random_; }

  RoomGraph room;

 private:
  const std::vector<std::string> users = {"@creator:a", "@b:b", "@c:c", "@d:a", "@e:b", "@f:c"};
  std::size_t below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
  const std::string& anyone() { return users[below(users.size())]; }

  std::string levels() {
    std::string out;
    for (std::size_t i = version_.privileged_creators ? 1 : 0; i < users.size(); ++i) {
      if (i > 0 && chance(40)) continue;
      const char* const choices[] = {"0", "25", "50", "50", "100"};
      out +=
          (out.empty() ? "" : ",") + json::quoted(users[i]) + ":" + (i == 0 && chance(90) ? "100" : choices[below(5)]);
    }
    out = R"({"users":{)" + out + "}";
    if (chance(20)) out += R"(,"events":{"m.room.topic":)" + std::string(chance(50) ? "0" : "100") + "}";
    if (chance(20)) out += R"(,"invite":50)";
    if (chance(10)) out += R"(,"ban":25)";
    return canonical(out + "}");
  }

  RoomGraph::Draft anything() {
    RoomGraph::Draft draft{anyone(), "m.room.topic", ""};
    draft.prev_events = some_events(3);
    if (chance(30)) draft.origin_server_ts = 1'000'000 + static_cast<std::int64_t>(below(20)) * 1000;
    const auto member = [&](const std::string& target, const char* membership) {
      draft.type = "m.room.member";
      draft.state_key = target;
      draft.content = R"({"membership":")" + std::string(membership) + R"(","x":)" + std::to_string(below(3)) + "}";
    };
    const char* const join_rules[] = {"public", "invite", "knock", "public"};
    switch (below(11)) {
      case 0:
      case 1: member(draft.sender, "join"); break;
      case 2: member(draft.sender, "leave"); break;
      case 3: member(anyone(), "ban"); break;
      case 4: member(anyone(), "leave"); break;
      case 5: member(anyone(), "invite"); break;
      case 6:
      case 7:
        draft.type = "m.room.power_levels";
        draft.content = levels();
        break;
      case 8:
        draft.type = "m.room.join_rules";
        draft.content = R"({"join_rule":")" + std::string(join_rules[below(4)]) + "\"}";
        break;
      case 9:
        draft.type = "m.room.message";
        draft.state_key.reset();
        break;
      default: draft.content = R"({"topic":")" + std::to_string(below(100)) + "\"}"; break;
    }
    return draft;
  }

  std::mt19937_64 random_;
  const RoomVersion& version_;
};

}  // namespace backplane::matrix
