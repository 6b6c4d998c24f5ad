#include <deque>

#include "backplane/storage/rows.h"
#include "store.h"

namespace backplane::room_server::tables {

void insert_snapshots(Write& write, RoomNumber room, std::span<const StateSnapshot* const> snapshots) {
  storage::Rows rows("INSERT INTO state_snapshots (snapshot_key, base, depth, delta) VALUES (?, ?, ?, ?)");
  std::deque<Bytes> deltas;  // rows hold on to their texts
  for (const StateSnapshot* const snapshot : snapshots) {
    const std::int64_t base = snapshot->base() ? snapshot->base()->number() : 0;
    deltas.push_back({encode(snapshot->delta())});
    rows.add({event_key(room, snapshot->number()), base, snapshot->depth(), deltas.back()});
  }
  rows.insert(write);
}

StateSnapshotPointer find_snapshot(Session& session, RoomNumber room, std::int64_t number, const SnapshotCache* known) {
  struct Stored {
    std::int64_t number;
    std::uint32_t depth;
    StateDelta delta;
  };
  std::vector<Stored> chain;
  StateSnapshotPointer snapshot;
  while (number != 0) {
    if (known != nullptr) snapshot = known->find(number);
    if (snapshot) break;
    auto row = session.find<std::int64_t, std::uint32_t, Bytes>(
        "SELECT base, depth, delta FROM state_snapshots WHERE snapshot_key = ?", {event_key(room, number)});
    if (!row) throw storage::Failure(internal_error("a stored state of a room is not there"));
    auto delta = decode_delta(std::get<2>(*row).data);
    if (!delta) throw storage::Failure(delta.error());
    chain.push_back({number, std::get<1>(*row), std::move(*delta)});
    number = std::get<0>(*row);
  }
  for (; !chain.empty(); chain.pop_back()) {
    Stored& stored = chain.back();
    snapshot =
        std::make_shared<StateSnapshot>(stored.number, stored.depth, std::move(stored.delta), std::move(snapshot));
  }
  return snapshot;
}

std::int64_t last_snapshot(Session& session, RoomNumber room) {
  return ordinal_of_key(session
                            .find<std::int64_t>("SELECT snapshot_key FROM state_snapshots WHERE snapshot_key >= ? AND "
                                                "snapshot_key < ? ORDER BY snapshot_key DESC LIMIT 1",
                                                {event_key(room, 0), event_key(room + 1, 0)})
                            .value_or(0));
}

}  // namespace backplane::room_server::tables
