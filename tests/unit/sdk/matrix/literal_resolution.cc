#include "literal_resolution.h"

#include <openssl/sha.h>

#include <algorithm>
#include <limits>
#include <set>

#include "backplane/base/encoding.h"
#include "backplane/matrix/auth_rules.h"

namespace backplane::matrix {
namespace {

using EventSet = std::set<EventId>;

class Resolution {
 public:
  Resolution(const RoomVersion& version, const std::vector<StateMap>& states, EventSource& source)
      : version_(version), states_(states), source_(source) {}

  // "The resolution of a set of states is obtained as follows:" (room versions 2 to 12)
  StateMap resolve_2() {
    split();
    const EventSet full_conflicted_set = this->full_conflicted_set();
    // 1.
    EventSet x;
    for (const auto& e : full_conflicted_set) {
      if (!is_power_event(event(e))) continue;
      x.insert(e);
      for (const auto& a : auth_chain(e)) {
        if (full_conflicted_set.contains(a)) x.insert(a);
      }
    }
    // 2.
    StateMap state = version_.state_resolution == StateResolution::v2_1 ? StateMap() : unconflicted_;
    check_iteratively(state, reverse_topological_power_ordering(x));
    // 3.
    std::vector<EventId> remaining;
    for (const auto& e : full_conflicted_set) {
      if (!x.contains(e)) remaining.push_back(e);
    }
    const auto levels = state.find({"m.room.power_levels", ""});
    const auto mainline = levels == state.end() ? std::vector<EventId>() : power_levels_from(levels->second);
    std::sort(remaining.begin(), remaining.end(), [&](const EventId& a, const EventId& b) {
      const auto position_a = mainline_position(a, mainline), position_b = mainline_position(b, mainline);
      if (position_a != position_b) return position_a > position_b;
      return before(a, b);
    });
    // 4.
    check_iteratively(state, remaining);
    // 5.
    for (const auto& [key, id] : unconflicted_) state[key] = id;
    return state;
  }

  // "The resolution of a set of states is defined as follows." (room version 1)
  StateMap resolve_1() {
    StateMap r;
    std::map<StateKey, EventSet> conflicts;
    for (const auto& state : states_) {
      for (const auto& [key, id] : state) conflicts[key].insert(id);
    }
    std::erase_if(conflicts, [&](const auto& each) {
      if (each.second.size() == 1) r[each.first] = *each.second.begin();
      return each.second.size() == 1;
    });
    for (const char* type : {"m.room.power_levels", "m.room.join_rules", "m.room.member"}) {
      StateMap found;
      for (const auto& [key, events] : conflicts) {
        if (key.type != type) continue;
        StateMap with = r;
        const auto list = by_depth(events);
        with[key] = list.front();
        for (std::size_t i = 1; i < list.size() && allowed(event(list[i]), with, {}); ++i) with[key] = list[i];
        found[key] = with[key];
      }
      r.insert(found.begin(), found.end());
    }
    StateMap found;
    for (const auto& [key, events] : conflicts) {
      if (r.contains(key)) continue;
      auto list = by_depth(events);
      std::reverse(list.begin(), list.end());
      const auto at =
          std::find_if(list.begin(), list.end(), [&](const EventId& e) { return allowed(event(e), r, {}); });
      found[key] = at == list.end() ? list.back() : *at;  // not in the text: see state_resolution_v1.cc
    }
    r.insert(found.begin(), found.end());
    return r;
  }

 private:
  Event event(const EventId& id) { return source_.find(id).event; }

  // "Unconflicted state map and conflicted state set."
  void split() {
    for (const auto& state : states_) {
      for (const auto& [key, id] : state) {
        const bool everywhere = std::all_of(states_.begin(), states_.end(), [&](const StateMap& other) {
          const auto at = other.find(key);
          return at != other.end() && at->second == id;
        });
        if (everywhere) unconflicted_[key] = id;
        else conflicted_.insert(id);
      }
    }
  }

  // "Auth chain."
  const EventSet& auth_chain(const EventId& id) {
    if (const auto at = chains_.find(id); at != chains_.end()) return at->second;
    EventSet out;
    for (const auto& a : event(id).auth_events()) {
      out.insert(a);
      const EventSet more = auth_chain(a);
      out.insert(more.begin(), more.end());
    }
    return chains_[id] = out;
  }

  // "Auth difference.", "Conflicted state subgraph.", "Full conflicted set."
  EventSet full_conflicted_set() {
    std::vector<EventSet> full_chains;
    EventSet all;
    for (const auto& state : states_) {
      EventSet chain;
      for (const auto& [key, id] : state) chain.insert(auth_chain(id).begin(), auth_chain(id).end());
      all.insert(chain.begin(), chain.end());
      full_chains.push_back(chain);
    }
    EventSet out = conflicted_;
    for (const auto& e : all) {
      if (!std::all_of(full_chains.begin(), full_chains.end(), [&](const EventSet& c) { return c.contains(e); })) {
        out.insert(e);
      }
    }
    if (version_.state_resolution != StateResolution::v2_1) return out;
    for (const auto& from : conflicted_) {
      for (const auto& on_path : auth_chain(from)) {
        for (const auto& to : conflicted_) {
          if (auth_chain(on_path).contains(to)) out.insert(on_path);
        }
      }
    }
    return out;
  }

  // "Power events."
  static bool is_power_event(const Event& e) {
    if (e.is_state("m.room.power_levels", "") || e.is_state("m.room.join_rules", "")) return true;
    const auto membership = membership_in(e.content());
    return e.type() == "m.room.member" && e.state_key() && e.sender().view() != *e.state_key() &&
           (membership == Membership::leave || membership == Membership::ban);
  }

  std::int64_t sender_level(const Event& e) {
    Event create, levels;
    for (const auto& a : e.auth_events()) {
      if (event(a).is_state("m.room.create", "")) create = event(a);
      if (event(a).is_state("m.room.power_levels", "")) levels = event(a);
    }
    if (version_.create_event_is_implied) create = event(create_event_id_of(e.room_id()));
    const RoomCreation creation = create ? RoomCreation::of(create) : RoomCreation();
    const auto parsed = levels ? PowerLevels::parse(levels.content(), creation) : PowerLevels(creation);
    return (parsed ? *parsed : PowerLevels(creation)).of_user(e.sender());
  }

  bool before(const EventId& a, const EventId& b) {
    const Event x = event(a), y = event(b);
    return x.origin_server_ts() != y.origin_server_ts() ? x.origin_server_ts() < y.origin_server_ts() : a < b;
  }

  // "Reverse topological power ordering."
  std::vector<EventId> reverse_topological_power_ordering(EventSet left) {
    std::vector<EventId> out;
    while (!left.empty()) {
      const EventId* smallest = nullptr;
      for (const auto& e : left) {
        const auto auth = event(e).auth_events();
        if (std::any_of(auth.begin(), auth.end(), [&](const EventId& a) { return left.contains(a); })) continue;
        if (smallest == nullptr) {
          smallest = &e;
          continue;
        }
        const auto level = sender_level(event(e)), other = sender_level(event(*smallest));
        if (level != other ? level > other : before(e, *smallest)) smallest = &e;
      }
      out.push_back(*smallest);
      left.erase(EventId(*smallest));
    }
    return out;
  }

  // "Mainline ordering."
  std::vector<EventId> power_levels_from(EventId id) {
    std::vector<EventId> out;
    for (bool found = true; found;) {
      out.push_back(id);
      found = false;
      for (const auto& a : event(out.back()).auth_events()) {
        if (event(a).is_state("m.room.power_levels", "")) {
          id = a;
          found = true;
        }
      }
    }
    return out;
  }
  std::size_t mainline_position(const EventId& e, const std::vector<EventId>& mainline) {
    const auto list = power_levels_from(e);
    for (std::size_t j = 1; j < list.size(); ++j) {
      const auto at = std::find(mainline.begin(), mainline.end(), list[j]);
      if (at != mainline.end()) return static_cast<std::size_t>(at - mainline.begin());
    }
    return std::numeric_limits<std::size_t>::max();
  }

  bool allowed(const Event& e, const StateMap& state, const StateMap& auth_events) {
    const EventAuthState auth_state([&](std::string_view type, std::string_view state_key) {
      const StateKey key{std::string(type), std::string(state_key)};
      if (const auto at = state.find(key); at != state.end()) return event(at->second);
      if (const auto at = auth_events.find(key); at != auth_events.end()) return event(at->second);
      const bool implied = version_.create_event_is_implied && type == "m.room.create";
      return implied ? event(create_event_id_of(e.room_id())) : Event();
    });
    return !check_auth_rules(AuthSubject::of(e), version_, auth_state);
  }

  // "Iterative auth checks."
  void check_iteratively(StateMap& state, const std::vector<EventId>& list) {
    for (const auto& id : list) {
      const Event e = event(id);
      StateMap auth_events;
      for (const auto& a : e.auth_events()) {
        const auto found = source_.find(a);
        if (!found.rejected) {
          auth_events[{std::string(found.event.type()), std::string(*found.event.state_key())}] = a;
        }
      }
      if (allowed(e, state, auth_events)) state[{std::string(e.type()), std::string(*e.state_key())}] = id;
    }
  }

  // "Sort the list by ascending depth then descending sha1(event_id)."
  std::vector<EventId> by_depth(const EventSet& events) {
    const auto sha1 = [](const EventId& id) {
      std::string out(20, '\0');
      SHA1(reinterpret_cast<const unsigned char*>(id.str().data()), id.str().size(),
           reinterpret_cast<unsigned char*>(out.data()));
      return hex(out);
    };
    std::vector<EventId> out(events.begin(), events.end());
    std::sort(out.begin(), out.end(), [&](const EventId& a, const EventId& b) {
      const auto x = event(a).depth(), y = event(b).depth();
      return x != y ? x < y : sha1(a) > sha1(b);
    });
    return out;
  }

  const RoomVersion& version_;
  const std::vector<StateMap>& states_;
  EventSource& source_;
  StateMap unconflicted_;
  EventSet conflicted_;
  std::map<EventId, EventSet> chains_;
};

}  // namespace

StateMap resolve_literally(const RoomVersion& version, const std::vector<StateMap>& states, EventSource& source) {
  Resolution resolution(version, states, source);
  return version.state_resolution == StateResolution::v1 ? resolution.resolve_1() : resolution.resolve_2();
}

}  // namespace backplane::matrix
