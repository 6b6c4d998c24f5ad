// Lets the log ride on a store's transactions: records are written with the change that they tell of, get their
// positions in the order of commits, and are seen by others once the commit is durable. One hook a store, given to
// open_store; implemented by the SDK's outbox (log/), used by nobody else.
//
// Every method is called on the thread that opens the store (opened) or on its writer's thread (all others), never
// two at once. The order is
//
//   opened, { begin_piece, [outbox, …], [roll_back_piece] }…, before_commit, committed | rolled_back, …
//
// The hook must outlive the store, and must not call the store from here but for Store::submit.
#pragma once

#include "backplane/base/export.h"
#include "backplane/storage/session.h"
#include "backplane/storage/store.h"

namespace backplane::storage {

class BACKPLANE_API CommitHook {
 public:
  virtual ~CommitHook();
  /// Once, after the migrations and before any work, in a write transaction of its own: create the SDK's tables when
  /// they are not there, and read where the log stands. What it throws makes open_store fail.
  virtual void opened(Session& session) = 0;
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
