// The writer's transaction: opened by the first piece of work, shared by those that follow, committed once. A piece
// that fails is undone alone, by its savepoint; the first one needs none, as there is nothing yet that must stay.
//
// Used by GroupCommit, on its writer's thread only.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>

#include "backplane/base/result.h"
#include "backplane/storage/commit_hook.h"
#include "backplane/storage/store.h"
#include "storage/connect.h"

namespace backplane::storage {

class BatchTransaction {
 public:
  /// `hook` may be nullptr.
  BatchTransaction(Connect connect, std::unique_ptr<SociSession> session, CommitHook* hook);
  ~BatchTransaction();

  /// Runs a piece, in the open transaction or in a new one; when it fails, it has left no trace.
  Result<void> run(const Store::WriteWork& work);
  /// After run(): why the pieces before that one are undone as well, when they are. The next piece begins anew.
  std::optional<Error> take_lost();
  /// Commits the pieces that succeeded; on an error all of them are undone. Nothing to do is a success.
  Result<void> commit();
  /// How many pieces the open transaction holds.
  std::size_t held() const { return held_; }

 private:
  class Writer;
  void begin();
  Result<void> run_work(const Store::WriteWork& work);
  void undo_piece(bool savepoint, const Error& error);
  void roll_back() noexcept;

  const Connect connect_;
  std::unique_ptr<SociSession> session_;  ///< empty after a connection was lost
  CommitHook* const hook_;
  std::unique_ptr<Writer> writer_;
  bool begun_ = false;
  std::size_t held_ = 0;
  std::optional<Error> lost_;
};

}  // namespace backplane::storage
