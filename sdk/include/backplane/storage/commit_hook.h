// Lets the log ride on a store's transactions: records are written with the change that they tell of, get their
// positions in the order of commits, and are seen by others once the commit is durable. One hook a store, given to
// open_store; implemented by the SDK's outbox (log/), used by nobody else.
//
// Every method is called on the thread that opens the store (opened, the first taken) or on its writer's thread (all
// others), never two at once. The order is
//
//   opened, taken, { begin_piece, [outbox, …], [roll_back_piece] }…, before_commit, committed | rolled_back, …
//
// Where several processes share the store, shards come and go between transactions: taken, …, giving_back, left.
// The hook must outlive the store, and must not call the store from here but for Store::submit.
#pragma once

#include <cstdint>
#include <span>

#include "backplane/base/export.h"
#include "backplane/storage/session.h"
#include "backplane/storage/store.h"

namespace backplane::storage {

class BACKPLANE_API CommitHook {
 public:
  virtual ~CommitHook();
  /// Once, after the migrations and before any work, in a write transaction of its own, which that of no other process
  /// overlaps: create the SDK's tables when they are not there. `sharing` is how it is with this process: exclusive
  /// also where no other host is meant to be. What it throws makes open_store fail.
  virtual void opened(Session& session, Sharing sharing) = 0;
  /// These shards belong to this process from here on, in a write transaction of its own: read where their logs stand.
  /// Also when the writer had to connect anew: what was read before is of no use. When it throws, or the commit fails,
  /// they are `left`.
  virtual void taken(Session& session, std::span<const std::uint16_t> shards);
  /// These shards are given back: the last statements for them. No work of this process will follow.
  virtual void giving_back(Session& session, std::span<const std::uint16_t> shards);
  /// These shards are no longer this process' own: given back, or lost with the connection. Must not throw.
  virtual void left(std::span<const std::uint16_t> shards);
  /// Where work puts its records (Write::outbox).
  virtual log::Outbox& outbox() = 0;
  /// A piece of work begins. Its session is valid until the piece ends.
  virtual void begin_piece(Write& write) = 0;
  /// The piece that began last has failed: its statements are undone (those of this hook too), forget its records.
  virtual void roll_back_piece() = 0;
  /// The last statements before the commit (the counter's row). Not called when no piece succeeded. A Failure thrown
  /// here fails every piece of the batch.
  virtual void before_commit(Session& session) = 0;
  /// The commit is durable. Called before the callers get their answers, so that they can read what they wrote.
  /// Must not throw.
  virtual void committed() = 0;
  /// The whole batch is undone: forget its records and positions. Must not throw.
  virtual void rolled_back() = 0;
};

}  // namespace backplane::storage
