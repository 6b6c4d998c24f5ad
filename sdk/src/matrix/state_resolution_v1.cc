// Room version 1, "State resolution".
#include <openssl/sha.h>

#include <algorithm>
#include <array>

#include "matrix/resolving_state.h"
#include "matrix/state_resolution_detail.h"

namespace backplane::matrix::resolution {
namespace {

using Sha1 = std::array<unsigned char, SHA_DIGEST_LENGTH>;

struct Candidate {
  const Event* event;
  Sha1 sha1;
};

/// "Sort the list by ascending depth then descending sha1(event_id)."
std::vector<Candidate> sorted(const std::map<EventId, std::vector<std::size_t>>& conflict, LoadedEvents& events) {
  std::vector<Candidate> out;
  for (const auto& [event_id, states] : conflict) {
    const Event& event = events.find(event_id).event;
    if (!event) continue;
    Candidate candidate{&event, {}};
    SHA1(reinterpret_cast<const unsigned char*>(event_id.view().data()), event_id.view().size(), candidate.sha1.data());
    out.push_back(candidate);
  }
  std::sort(out.begin(), out.end(), [](const Candidate& a, const Candidate& b) {
    if (a.event->depth() != b.event->depth()) return a.event->depth() < b.event->depth();
    return a.sha1 > b.sha1;
  });
  return out;
}

/// For power levels, join rules and memberships: the last of the events of which each is allowed by the one before it.
const Event* resolve_auth_conflict(const StateKey& key, const std::vector<Candidate>& candidates,
                                   ResolvingState& state) {
  const Event* last = nullptr;
  for (const auto& candidate : candidates) {
    if (last != nullptr && !state.allows(*candidate.event)) break;
    last = candidate.event;
    state.put(key, last->event_id());
  }
  state.remove(key);
  return last;
}

/// "Just pick the event with the highest depth and lowest sha1(event_id) that passes authentication in R."
/// NOTSPEC: when none does, the text has no event of the key. Servers that have room version 1 all take the one of
/// lowest depth then, and so the rooms have it.
const Event* resolve_normal_conflict(const std::vector<Candidate>& candidates, ResolvingState& state) {
  for (auto at = candidates.rbegin(); at != candidates.rend(); ++at) {
    if (state.allows(*at->event)) return at->event;
  }
  return candidates.empty() ? nullptr : candidates.front().event;
}

enum class Pass { power_levels, join_rules, members, others };

Pass pass_of(const StateKey& key) {
  if (key.type == "m.room.power_levels" && key.state_key.empty()) return Pass::power_levels;
  if (key.type == "m.room.join_rules") return Pass::join_rules;
  return key.type == "m.room.member" ? Pass::members : Pass::others;
}

}  // namespace

StateMap resolve_v1(const RoomVersion& version, const StateConflicts& conflicts, CommonState& common,
                    LoadedEvents& events) {
  // "Start by setting R to the union of the states to be resolved, excluding any conflicting events."
  ResolvingState state(version, &common, events);
  for (const Pass pass : {Pass::power_levels, Pass::join_rules, Pass::members, Pass::others}) {
    // What one conflict comes to is not seen by the others of the same pass, whose order means nothing.
    StateMap resolved;
    for (const auto& [key, conflict] : conflicts) {
      if (pass_of(key) != pass) continue;
      const auto candidates = sorted(conflict, events);
      const Event* const event = pass == Pass::others ? resolve_normal_conflict(candidates, state)
                                                      : resolve_auth_conflict(key, candidates, state);
      if (event != nullptr) resolved.emplace(key, event->event_id());
    }
    for (const auto& [key, event_id] : resolved) state.put(key, event_id);
  }
  return state.changed();
}

}  // namespace backplane::matrix::resolution
