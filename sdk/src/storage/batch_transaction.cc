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

BatchTransaction::BatchTransaction(Connect connect, std::unique_ptr<SociSession> session, CommitHook* hook)
    : connect_(std::move(connect)),
      session_(std::move(session)),
      hook_(hook),
      writer_(std::make_unique<Writer>(hook)) {}

BatchTransaction::~BatchTransaction() {
  if (begun_) roll_back();
}

void BatchTransaction::begin() {
  if (session_ == nullptr) session_ = connect_(SessionUse::write);
  session_->execute(session_->dialect().begin_write());
  begun_ = true;
}

Result<void> BatchTransaction::run(const Store::WriteWork& work) {
  const bool savepoint = held_ > 0;
  try {
    if (!begun_) begin();
    if (savepoint) session_->execute("SAVEPOINT piece");
  } catch (...) {
    Error error = error_of_current_exception();
    if (savepoint) lost_ = error;
    roll_back();
    return error;
  }
  Result<void> result = run_work(work);
  if (result.ok() && savepoint) {
    try {
      session_->execute("RELEASE SAVEPOINT piece");
    } catch (...) {
      result = error_of_current_exception();
    }
  }
  if (result.ok()) ++held_;
  else undo_piece(savepoint, result.error());
  return result;
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
  } catch (...) {
    // The whole transaction is gone: SQLite ends it by itself on a full disk, a connection may be lost.
    lost_ = error;
    roll_back();
  }
}

std::optional<Error> BatchTransaction::take_lost() { return std::exchange(lost_, std::nullopt); }

Result<void> BatchTransaction::commit() {
  if (!begun_) return {};
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
  begun_ = false;
  held_ = 0;
  if (hook_ != nullptr) hook_->committed();
  return {};
}

void BatchTransaction::roll_back() noexcept {
  const bool told = std::exchange(begun_, false);
  held_ = 0;
  try {
    if (session_ != nullptr && session_->usable()) {
      if (session_->in_transaction()) session_->execute("ROLLBACK");
    } else {
      session_.reset();
    }
  } catch (...) {
    session_.reset();  // a new one begins with a clean slate
  }
  if (told && hook_ != nullptr) hook_->rolled_back();
}

}  // namespace backplane::storage
