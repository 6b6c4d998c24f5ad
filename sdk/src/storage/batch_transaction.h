// The writer's transaction: opened by the first piece of work, shared by those that follow, committed once. A piece
// that fails is undone alone, by its savepoint; the first one needs none, as there is nothing yet that must stay.
//
// It has the writer's session, and with it what makes the store this process' own (claim.h): a session that is lost is
// replaced before the next piece, and what was owned by it is not owned any more.
//
// Used by GroupCommit, on its writer's thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "backplane/base/result.h"
#include "backplane/storage/commit_hook.h"
#include "backplane/storage/store.h"
#include "storage/claim.h"
#include "storage/connect.h"

namespace backplane::storage {

class BatchTransaction {
 public:
  /// `session` is guarded by `claim`, which has begun. `claim` and `hook` may be nullptr.
  BatchTransaction(Connect connect, std::unique_ptr<SociSession> session, Claim* claim, Clock& clock, CommitHook* hook);
  ~BatchTransaction();

  /// Opens the transaction when it is not open. It may take a new session: what this process owns may be less then.
  Result<void> begin();
  /// Runs a piece in the open transaction; when it fails, it has left no trace. Ends the transaction when there is
  /// nothing else in it.
  Result<void> run(const Store::WriteWork& work);
  /// After run(): why the pieces before that one are undone as well, when they are. The next piece begins anew.
  std::optional<Error> take_lost();
  /// Commits the pieces that succeeded; on an error all of them are undone (or it is not known, when the connection was
  /// lost on the way). Nothing to do is a success.
  Result<void> commit();
  /// How many pieces the open transaction holds.
  std::size_t held() const { return held_; }

  /// Between transactions: a step of the claim, with a new session when there is none.
  Result<void> step();
  /// Between transactions, when the store stops: gives back what is owned, and ends the session.
  void close() noexcept;

 private:
  class Writer;
  void open_session();
  void drop_session() noexcept;
  Result<void> run_work(const Store::WriteWork& work);
  void set_savepoint();
  void undo_piece(bool savepoint, const Error& error);
  void roll_back() noexcept;

  const Connect connect_;
  std::unique_ptr<SociSession> session_;  ///< empty after a connection was lost
  Claim* const claim_;
  Clock& clock_;
  /// Why a new session was of no use, and how long that is taken to be so: connecting is dear.
  std::optional<Error> refused_;
  Instant refused_until_{};
  CommitHook* const hook_;
  std::unique_ptr<Writer> writer_;
  bool begun_ = false;
  bool savepoint_ = false;  ///< one is there; the commit ends it with the transaction
  std::size_t held_ = 0;
  std::optional<Error> lost_;
};

}  // namespace backplane::storage
