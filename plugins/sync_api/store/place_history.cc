// When backfilled events happened, as far as positions can tell. Their own say when they came, which may be long after
// the event: what a user was then, and what the state was, is no matter of theirs.
//
// By depth such an event comes before the first event of the timeline that is as deep or deeper: it happened after the
// event whose position is before that one's, and before it. What changed between the two, the other server's view of
// the room included, which is told before the event that brought it, changed at some time in the gap: it may have been
// so or so. Hence a span of positions, of which all have to allow a user to see the event
// (MembershipHistory::may_see_between).
//
// Computed once, from what came before: what comes later, or is purged, changes nothing.
#include "store.h"

namespace backplane::sync_api::store {
namespace {

struct Span {
  Sequence earliest, latest;
};

/// The last event of the timeline before the position; 0 for none.
Sequence last_before(storage::Session& session, std::int64_t room, Sequence at) {
  return session
      .find<Sequence>(
          "SELECT sequence FROM timeline WHERE room = ? AND sequence < ? AND kind = 0"
          " ORDER BY sequence DESC LIMIT 1",
          {room, at})
      .value_or(0);
}

Span find_span(storage::Session& session, std::int64_t room, const TimelineEntry& entry) {
  const auto deeper = session.find<Sequence, int, std::optional<Sequence>, std::optional<Sequence>>(
      "SELECT sequence, kind, earliest, latest FROM timeline WHERE room = ? AND topological >= ? AND sequence < ?"
      " AND kind <> 2 ORDER BY topological, sequence LIMIT 1",
      {room, entry.topological, entry.sequence});
  if (!deeper) return {last_before(session, room, entry.sequence), entry.sequence};
  const auto& [sequence, kind, earliest, latest] = *deeper;
  if (static_cast<EntryKind>(kind) == EntryKind::history) return {earliest.value_or(0), latest.value_or(sequence)};
  return {last_before(session, room, sequence), sequence - 1};
}

}  // namespace

void place_history(storage::Write& write, std::int64_t room, const TimelineEntry& entry) {
  const Span span = find_span(write, room, entry);
  write.execute("UPDATE timeline SET earliest = ?, latest = ? WHERE room = ? AND sequence = ?",
                {span.earliest, span.latest, room, entry.sequence});
}

}  // namespace backplane::sync_api::store
