#include "storage/batch_transaction.h"

#include <stdexcept>
#include <utility>

#include "storage/work_scope.h"

namespace backplane::storage {

/// What work sees: the writer's session, and where its records go.
class BatchTransaction::Writer final : public Write {
 public:
  explicit Writer(CommitHook* hook) : hook_(hook) {}
  void begin(SociSession& session) {
    session_ = &session;
    failure_.reset();
  }
  /// The first statement that failed, were it also caught by the work: PostgreSQL would take the commit that follows
  /// for a roll-back, and not say so.
  const std::optional<Error>& failure() const { return failure_; }

  log::Outbox& outbox() override {
    if (hook_ == nullptr) throw std::logic_error("this store has no outbox: declare the topic that it publishes");
    return hook_->outbox();
  }

 protected:
  std::int64_t run(std::string_view sql, std::span<const Parameter> parameters, std::span<const ColumnType> columns,
                   RowFunction on_row, void* argument) override {
    if (failure_) throw Failure(*failure_);  // nothing runs after a failure: the transaction may have ended
    try {
      return session_->run(sql, parameters, columns, on_row, argument);
    } catch (const Failure& failure) {
      if (!failure_) failure_ = failure.error();
      throw;
    }
  }

 private:
  CommitHook* const hook_;
  SociSession* session_ = nullptr;
  std::optional<Error> failure_;
};

BatchTransaction::BatchTransaction(Connect connect, std::unique_ptr<SociSession> session, Claim* claim, Clock& clock,
                                   CommitHook* hook)
    : connect_(std::move(connect)),
      session_(std::move(session)),
      claim_(claim),
      clock_(clock),
      hook_(hook),
      writer_(std::make_unique<Writer>(hook)) {}

BatchTransaction::~BatchTransaction() {
  if (begun_) roll_back();
}

void BatchTransaction::open_session() {
  constexpr Duration pause_after_refusal = std::chrono::milliseconds(200);
  if (refused_ && clock_.now() < refused_until_) throw Failure(*refused_);
  session_ = connect_(SessionUse::write);
  if (claim_ == nullptr) return;
  try {
    claim_->guard(*session_);
    claim_->begin(*session_);
    refused_.reset();
  } catch (...) {
    refused_ = error_of_current_exception();
    refused_until_ = clock_.now() + pause_after_refusal;
    drop_session();
    throw;
  }
}

void BatchTransaction::drop_session() noexcept {
  session_.reset();
  if (claim_ != nullptr) claim_->lost();
}

Result<void> BatchTransaction::begin() {
  if (begun_) return {};
  try {
    // A session that was idle may have been lost meanwhile. Nothing was done on it yet, so another one will do.
    for (bool was_idle = session_ != nullptr;; was_idle = false) {
      if (session_ == nullptr) open_session();
      try {
        session_->execute(session_->dialect().begin_write());
        begun_ = true;
        return {};
      } catch (const Failure&) {
        const bool lost = !session_->usable();
        if (lost) drop_session();
        if (!lost || !was_idle) throw;
      }
    }
  } catch (...) {
    return error_of_current_exception();
  }
}

Result<void> BatchTransaction::run(const Store::WriteWork& work) {
  const bool savepoint = held_ > 0;
  try {
    if (savepoint) set_savepoint();
  } catch (...) {
    Error error = error_of_current_exception();
    lost_ = error;
    roll_back();
    return error;
  }
  Result<void> result = run_work(work);
  if (result.ok()) ++held_;
  else undo_piece(savepoint, result.error());
  return result;
}

/// That of the piece before has served; on PostgreSQL a statement is a round trip.
void BatchTransaction::set_savepoint() {
  if (!savepoint_) {
    session_->execute("SAVEPOINT piece");
  } else if (session_->dialect().engine() == Engine::postgresql) {
    session_->execute_once("RELEASE SAVEPOINT piece; SAVEPOINT piece");
  } else {
    session_->execute("RELEASE SAVEPOINT piece");
    session_->execute("SAVEPOINT piece");
  }
  savepoint_ = true;
}

Result<void> BatchTransaction::run_work(const Store::WriteWork& work) {
  try {
    const Working working;
    writer_->begin(*session_);
    if (hook_ != nullptr) hook_->begin_piece(*writer_);
    Result<void> result = work(*writer_);
    if (result.ok() && writer_->failure()) return *writer_->failure();
    return result;
  } catch (...) {
    return error_of_current_exception();
  }
}

void BatchTransaction::undo_piece(bool savepoint, const Error& error) {
  if (hook_ != nullptr) hook_->roll_back_piece();
  if (!savepoint) {
    roll_back();
    return;
  }
  try {
    session_->execute("ROLLBACK TO SAVEPOINT piece");
    session_->execute("RELEASE SAVEPOINT piece");
    savepoint_ = false;
  } catch (...) {
    // The whole transaction is gone: SQLite ends it by itself on a full disk, a connection may be lost.
    lost_ = error;
    roll_back();
  }
}

std::optional<Error> BatchTransaction::take_lost() { return std::exchange(lost_, std::nullopt); }

Result<void> BatchTransaction::commit() {
  if (!begun_) return {};
  if (held_ == 0) {  // begun for pieces that were refused then
    roll_back();
    return {};
  }
  try {
    {
      const Working working;
      if (hook_ != nullptr) hook_->before_commit(*session_);
    }
    session_->execute("COMMIT");
  } catch (...) {
    Error error = error_of_current_exception();
    roll_back();
    return error;
  }
  begun_ = savepoint_ = false;
  held_ = 0;
  if (hook_ != nullptr) hook_->committed();
  return {};
}

void BatchTransaction::roll_back() noexcept {
  const bool told = std::exchange(begun_, false);
  savepoint_ = false;
  held_ = 0;
  bool lost = session_ == nullptr;
  try {
    lost = lost || !session_->usable();
    if (!lost && session_->in_transaction()) session_->execute("ROLLBACK");
  } catch (...) {
    lost = true;  // a new one begins with a clean slate
  }
  if (told && hook_ != nullptr) hook_->rolled_back();
  if (lost) drop_session();
}

Result<void> BatchTransaction::step() {
  try {
    if (session_ == nullptr) open_session();
    else claim_->step(*session_);
    return {};
  } catch (...) {
    Error error = error_of_current_exception();
    drop_session();  // what it holds is not known any more
    return error;
  }
}

void BatchTransaction::close() noexcept {
  if (begun_) roll_back();
  if (session_ == nullptr) return;
  try {
    claim_->give_back(*session_);
  } catch (...) {  // NOLINT: it ends with the session
  }
  drop_session();
}

}  // namespace backplane::storage
