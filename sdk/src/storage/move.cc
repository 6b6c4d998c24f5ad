#include "backplane/storage/move.h"

#include <algorithm>
#include <future>
#include <memory>
#include <utility>

#include "storage/connect.h"
#include "storage/move_compare.h"
#include "storage/move_marker.h"
#include "storage/move_source.h"
#include "storage/move_target.h"
#include "storage/work_scope.h"

namespace backplane::storage {

MoveObserver::~MoveObserver() = default;

namespace {

using Step = MoveObserver::Step;

/// Both ends of one store's move.
struct Ends {
  const MovedStore& store;
  std::unique_ptr<MoveSource> source;
  std::unique_ptr<MoveTarget> target;
};

class Move {
 public:
  Move(const MoveOptions& options, Clock& clock, const Logger& logger, MoveObserver& observer)
      : options_(options), clock_(clock), logger_(logger), observer_(observer) {}

  Result<MoveSummary> run(std::span<const MovedStore> stores) {
    MoveSummary summary;
    if (stores.empty()) return summary;
    BACKPLANE_CHECK(look(stores));
    BACKPLANE_CHECK(mark());
    BACKPLANE_CHECK(for_each([&](Ends& ends) { ends.target->prepare(logger_); }));
    BACKPLANE_CHECK(for_each([&](Ends& ends) { copy(ends); }));
    BACKPLANE_CHECK(for_each([&](Ends& ends) { compare(ends); }));
    BACKPLANE_CHECK(finish());
    for (const Ends& ends : ends_) {
      const auto& tables = ends.source->tables();
      MoveSummary::Store& store = summary.stores.emplace_back();
      store.name = ends.store.name;
      store.tables = static_cast<std::int64_t>(tables.size());
      for (const MovedTable& table : tables) store.rows += table.rows;
    }
    return summary;
  }

 private:
  /// Runs `work` for a store; what it throws becomes an error that names the store.
  template <class Work>
  Result<void> guarded(const std::string& name, Work&& work) {
    try {
      work();
      return {};
    } catch (...) {
      Error error = error_of_current_exception();
      error.text = name + ": " + error.text;
      return error;
    }
  }
  template <class Work>
  Result<void> for_each(Work&& work) {
    for (Ends& ends : ends_) BACKPLANE_CHECK(guarded(ends.store.name, [&] { work(ends); }));
    return {};
  }

  /// Everything that can be known before anything is written.
  Result<void> look(std::span<const MovedStore> stores) {
    for (const MovedStore& store : stores) {
      Ends& ends = ends_.emplace_back(Ends{store, nullptr, nullptr});
      BACKPLANE_CHECK(guarded(store.name, [&] {
        ends.source = std::make_unique<MoveSource>(store.path);
        ends.target = std::make_unique<MoveTarget>(store, *ends.source, clock_, options_.lock_wait);
        if (!options_.start_over) ends.target->check_same_source();
      }));
    }
    return {};
  }

  /// All schemas at once: a server that is started meanwhile finds all of them marked, or none.
  Result<void> mark() {
    return in_all_schemas([&](SociSession& session, const Ends& ends) {
      if (ends.target->begun() && options_.start_over) move_marker::drop_schema(session, ends.target->schema());
      if (!ends.target->begun() || options_.start_over) move_marker::create(session, ends.target->schema());
    });
  }
  Result<void> finish() {
    return in_all_schemas(
        [](SociSession& session, const Ends& ends) { move_marker::remove(session, ends.target->schema()); });
  }
  template <class Work>
  Result<void> in_all_schemas(Work&& work) {
    return guarded("the database", [&] {
      // Its own session: this commit waits for the disk.
      const MovedStore& first = ends_.front().store;
      const auto session = connector(first.target, first.name, clock_)(SessionUse::read);
      session->execute("BEGIN");  // what throws ends the session, and the transaction with it
      for (const Ends& ends : ends_) work(*session, ends);
      session->execute("COMMIT");
    });
  }

  /// One batch is inserted by a thread of its own while the next one is read.
  void copy(Ends& ends) {
    for (const MovedTable& table : ends.source->tables()) {
      std::int64_t done = ends.target->copied(table);
      const std::int64_t skip = done;
      MoveBatch batch(table), inserted(table);
      std::future<void> inserting;
      const auto wait = [&] {
        if (!inserting.valid()) return;
        inserting.get();
        done += static_cast<std::int64_t>(inserted.rows());
        observer_.progress(Step::copy, ends.store.name, table.name, done, table.rows);
      };
      const auto insert = [&] {
        wait();
        std::swap(batch, inserted);
        batch.clear();
        inserting = std::async(std::launch::async, [&] { ends.target->insert(table, inserted); });
      };
      ends.source->read(table, skip, [&](std::span<Cell> row) {
        batch.add(row);
        if (batch.rows() >= options_.batch_rows || batch.bytes() >= options_.batch_bytes) insert();
      });
      if (batch.rows() > 0) insert();
      wait();
      ends.target->complete(table);
      observer_.finished(Step::copy, ends.store.name, table.name, done);
    }
  }

  void compare(Ends& ends) {
    for (const MovedTable& table : ends.source->tables()) {
      compare_table(*ends.source, ends.target->session(), table, [&](std::int64_t rows) {
        observer_.progress(Step::compare, ends.store.name, table.name, rows, table.rows);
      });
      observer_.finished(Step::compare, ends.store.name, table.name, table.rows);
    }
  }

  const MoveOptions& options_;
  Clock& clock_;
  const Logger& logger_;
  MoveObserver& observer_;
  std::vector<Ends> ends_;
};

}  // namespace

Result<MoveSummary> move_stores(std::span<const MovedStore> stores, const MoveOptions& options, Clock& clock,
                                const Logger& logger, MoveObserver& observer) {
  return Move(options, clock, logger, observer).run(stores);
}

}  // namespace backplane::storage
