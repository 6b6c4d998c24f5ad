// A plugin's own database: one SQLite file or one PostgreSQL schema, which no other plugin reads.
//
// Writes are group-committed. One writer runs all the work that waits in one transaction, each piece in a savepoint,
// commits durably, and only then completes the callers; so a thousand small writes cost a few fsyncs. Work runs SQL
// and nothing else: no call to another component, no network, no waiting (debug builds assert it). Reads have sessions
// of their own and see what is committed. Any thread may call, except from inside work.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/storage/ownership.h"
#include "backplane/storage/session.h"

namespace backplane::log {
class Outbox;
}

namespace backplane::storage {

/// A session that may change things and publish records with the change (log/publisher.h).
class BACKPLANE_API Write : public Session {
 public:
  ~Write() override;
  virtual log::Outbox& outbox() = 0;
};

/// Work that builds on work queued before it (a room's lane works on a head that is not committed yet): when a piece
/// of a chain fails, every later piece of it fails too, with conflict/chain_broken, without being run.
class BACKPLANE_API Chain {
 public:
  Chain() = default;
  /// Work on what was in memory of a shard in that generation: it fails with unavailable/not_owner, without being run,
  /// when the shard has gone meanwhile, also when it has come back.
  Chain(std::uint16_t shard, std::uint64_t generation) : shard_(shard), generation_(generation) {}
  std::uint16_t shard() const { return shard_; }
  /// Whether the shard is still what it was.
  bool owned(const Ownership& ownership) const {
    return generation_ == 0 || ownership.generation(shard_) == generation_;
  }
  bool broken() const { return broken_.load(std::memory_order_acquire); }
  void break_off() { broken_.store(true, std::memory_order_release); }

 private:
  const std::uint16_t shard_ = 0;
  const std::uint64_t generation_ = 0;  // 0: of no shard
  std::atomic<bool> broken_{false};
};

struct Migration {
  int number;  ///< 1, 2, 3, … without a gap
  std::string_view name;
  std::string_view
      sql;  ///< statements separated by `;` at the end of a line; `{without_rowid}` and `{bytes}` are filled in
  void (*convert)(Session&) = nullptr;  ///< what SQL alone can't say, after it and in its transaction
};

/// What may not be in a database: for `backplane doctor`, also while the server runs.
struct Check {
  std::string what;   ///< "events of no room"
  std::string query;  ///< a SELECT; each row is a finding, its one column a text or a number that tells it from others
};

namespace detail {
template <class T>
struct unwrap {
  using type = T;
};
template <class T>
struct unwrap<Result<T>> {
  using type = T;
};
}  // namespace detail

class BACKPLANE_API Store {
 public:
  using WriteWork = std::function<Result<void>(Write&)>;
  using Done = std::function<void(Result<void>)>;
  virtual ~Store();

  /// Runs `work(Session&)` in a read transaction; it answers a value or a Result.
  template <class Work>
  auto read(Work&& work) {
    using Answer = std::invoke_result_t<Work&, Session&>;
    using T = typename detail::unwrap<Answer>::type;
    if constexpr (std::is_void_v<T>) {
      Result<void> answer;
      auto ran = run_read([&](Session& s) {
        if constexpr (std::is_void_v<Answer>) work(s);
        else answer = work(s);
      });
      return ran.ok() ? answer : ran;
    } else {
      std::optional<Result<T>> answer;
      auto ran = run_read([&](Session& s) { answer.emplace(work(s)); });
      if (!ran.ok()) return Result<T>(std::move(ran).error());
      return std::move(*answer);
    }
  }

  /// Queues `work(Write&)` and waits until it is committed (or has failed, and left no trace). It answers a value or
  /// a Result; an error rolls the piece back. Errors of the database: unavailable/disk_full, unavailable/storage (it is
  /// away; or its answer to the commit was lost, and what was written may be there after all), conflict/constraint,
  /// unavailable/store_in_use and unavailable/not_owner (another host has it).
  template <class Work>
  auto write(Work&& work, std::shared_ptr<Chain> chain = nullptr) {
    using Answer = std::invoke_result_t<Work&, Write&>;
    using T = typename detail::unwrap<Answer>::type;
    if constexpr (std::is_void_v<T>) {
      return run_write(
          [&](Write& w) -> Result<void> {
            if constexpr (std::is_void_v<Answer>) {
              work(w);
              return {};
            } else return work(w);
          },
          std::move(chain));
    } else {
      std::optional<Result<T>> answer;
      auto ran = run_write(
          [&](Write& w) -> Result<void> {
            answer.emplace(work(w));
            if (!answer->ok()) return answer->error();
            return {};
          },
          std::move(chain));
      if (!ran.ok()) return Result<T>(std::move(ran).error());
      return std::move(*answer);
    }
  }

  /// Queues work and returns; pieces run in the order in which they were queued. `done` runs after the commit, on the
  /// writer's thread: it must be quick and must not wait.
  virtual void submit(WriteWork work, Done done, std::shared_ptr<Chain> chain = nullptr) = 0;

  virtual const Ownership& ownership() const = 0;

  /// Durable commits so far (a metric and the subject of tests).
  virtual std::uint64_t commits() const = 0;

  /// Finishes what is queued, and refuses what comes after with unavailable/stopped. The destructor does it too.
  virtual void stop() = 0;

 protected:
  virtual Result<void> run_read(const std::function<void(Session&)>& work) = 0;
  Result<void> run_write(WriteWork work, std::shared_ptr<Chain> chain);
};

}  // namespace backplane::storage
