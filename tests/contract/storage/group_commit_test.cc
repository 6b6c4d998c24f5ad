// Pieces of work that share transactions.
#include <atomic>
#include <condition_variable>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engines.h"

namespace backplane::storage {
namespace {

constexpr Migration migrations[] = {{1, "numbers", "CREATE TABLE numbers (id BIGINT PRIMARY KEY, word TEXT);"}};

void insert(Session& session, std::int64_t id) { session.execute("INSERT INTO numbers (id) VALUES (?)", {id}); }
std::vector<std::int64_t> ids(Store& store) {
  return *store.read([](Session& session) { return session.list<std::int64_t>("SELECT id FROM numbers ORDER BY id"); });
}

/// Keeps the writer in a piece of work until it is opened.
class Barrier {
 public:
  explicit Barrier(Store& store) {
    store.submit(
        [this](Write&) {
          wait();
          return Result<void>();
        },
        {});
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return entered_; });
  }
  void open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }

 private:
  void wait() {
    std::unique_lock lock(mutex_);
    entered_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_; });
  }
  std::mutex mutex_;
  std::condition_variable changed_;
  bool entered_ = false;
  bool open_ = false;
};

/// What became of submitted pieces, in the order of their completion.
class Outcomes {
 public:
  Store::Done of(std::string name) {
    return [this, name = std::move(name)](Result<void> result) {
      const std::lock_guard lock(mutex_);
      list_.push_back(name + ":" +
                      (result.ok()                     ? "ok"
                       : result.error().reason.empty() ? "internal"
                                                       : result.error().reason));
      changed_.notify_all();
    };
  }
  std::vector<std::string> wait_for(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return list_.size() >= count; });
    return list_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> list_;
};

class GroupCommitContract : public StoreContract {
 protected:
  void SetUp() override { store_ = database_->open(migrations); }
  void TearDown() override { store_.reset(); }
  void submit(const std::string& name, std::int64_t id, std::shared_ptr<Chain> chain = nullptr) {
    store_->submit(
        [id](Write& write) {
          insert(write, id);
          return Result<void>();
        },
        outcomes_.of(name), std::move(chain));
  }
  Outcomes outcomes_;
  std::unique_ptr<Store> store_;
};

TEST_P(GroupCommitContract, what_is_queued_together_is_committed_together) {
  const auto before = store_->commits();
  Barrier barrier(*store_);
  for (int i = 0; i < 100; ++i) submit(std::to_string(i), i);
  EXPECT_TRUE(ids(*store_).empty());
  barrier.open();
  outcomes_.wait_for(100);
  EXPECT_EQ(store_->commits(), before + 1);
  EXPECT_EQ(ids(*store_).size(), 100U);
}

TEST_P(GroupCommitContract, a_failing_piece_leaves_no_trace_and_no_harm) {
  Barrier barrier(*store_);
  submit("a", 1);
  store_->submit(
      [](Write& write) -> Result<void> {
        insert(write, 2);
        return conflict("refused", "no");
      },
      outcomes_.of("error"));
  store_->submit(
      [](Write& write) -> Result<void> {
        insert(write, 3);
        throw std::runtime_error("thrown");
      },
      outcomes_.of("exception"));
  store_->submit(
      [](Write& write) -> Result<void> {
        insert(write, 4);
        throw 5;
      },
      outcomes_.of("number"));
  submit("duplicate", 1);
  store_->submit(
      [](Write& write) -> Result<void> {
        insert(write, 5);
        try {
          insert(write, 1);
        } catch (const Failure&) {
        }
        return {};
      },
      outcomes_.of("swallowed"));
  submit("b", 6);
  barrier.open();
  EXPECT_EQ(outcomes_.wait_for(7),
            (std::vector<std::string>{"a:ok", "error:refused", "exception:internal", "number:internal",
                                      "duplicate:constraint", "swallowed:constraint", "b:ok"}));
  EXPECT_EQ(ids(*store_), (std::vector<std::int64_t>{1, 6}));
}

TEST_P(GroupCommitContract, the_first_piece_may_fail_too) {
  for (int i = 0; i < 3; ++i) {
    const auto failed = store_->write([](Write& write) -> Result<int> {
      insert(write, 1);
      return conflict("refused", "no");
    });
    EXPECT_EQ(failed.error().reason, "refused");
  }
  EXPECT_TRUE(store_->write([](Write& write) { insert(write, 1); }).ok());
  EXPECT_EQ(store_->write([](Write& write) { insert(write, 1); }).error().reason, "constraint");
  EXPECT_EQ(ids(*store_), (std::vector<std::int64_t>{1}));
}

TEST_P(GroupCommitContract, work_answers_a_value) {
  const Result<std::string> answer = store_->write([](Write& write) -> Result<std::string> {
    insert(write, 1);
    return std::string("done");
  });
  EXPECT_EQ(*answer, "done");
  EXPECT_EQ(*store_->write([](Write&) { return 7; }), 7);
  EXPECT_EQ(store_->read([](Session&) -> Result<int> { return not_found("nothing", ""); }).error().reason, "nothing");
}

TEST_P(GroupCommitContract, a_chain_breaks_at_its_first_failure) {
  const auto chain = std::make_shared<Chain>();
  const auto other = std::make_shared<Chain>();
  submit("seed", 1);
  outcomes_.wait_for(1);
  Barrier barrier(*store_);
  submit("a", 2, chain);
  submit("fails", 1, chain);
  submit("other", 3, other);
  submit("b", 4, chain);
  barrier.open();
  outcomes_.wait_for(5);
  submit("later", 5, chain);
  EXPECT_EQ(outcomes_.wait_for(6), (std::vector<std::string>{"seed:ok", "a:ok", "fails:constraint", "other:ok",
                                                             "b:chain_broken", "later:chain_broken"}));
  EXPECT_TRUE(chain->broken());
  EXPECT_FALSE(other->broken());
  EXPECT_EQ(ids(*store_), (std::vector<std::int64_t>{1, 2, 3}));
}

TEST_P(GroupCommitContract, pieces_see_those_before_them_and_readers_only_what_is_committed) {
  Barrier barrier(*store_);
  submit("a", 1);
  std::size_t seen = 0;
  std::size_t read = 99;
  store_->submit(
      [&](Write& write) -> Result<void> {
        seen = write.list<std::int64_t>("SELECT id FROM numbers").size();
        std::thread([&] { read = ids(*store_).size(); }).join();
        return {};
      },
      outcomes_.of("b"));
  barrier.open();
  outcomes_.wait_for(2);
  EXPECT_EQ(seen, 1U);
  EXPECT_EQ(read, 0U);
}

TEST_P(GroupCommitContract, done_runs_after_the_commit) {
  std::mutex mutex;
  std::condition_variable changed;
  std::optional<std::size_t> seen;
  store_->submit(
      [](Write& write) -> Result<void> {
        insert(write, 1);
        return {};
      },
      [&](Result<void>) {
        std::size_t count = 0;
        std::thread([&] { count = ids(*store_).size(); }).join();
        const std::lock_guard lock(mutex);
        seen = count;
        changed.notify_all();
      });
  std::unique_lock lock(mutex);
  changed.wait(lock, [&] { return seen.has_value(); });
  EXPECT_EQ(seen, 1U);
}

TEST_P(GroupCommitContract, many_threads_share_commits) {
  constexpr int threads = 64;
  constexpr int each = 20;
  const auto before = store_->commits();
  std::atomic<int> failed{0};
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < threads; ++t) {
      writers.emplace_back([&, t] {
        for (int i = 0; i < each; ++i) {
          const std::int64_t id = t * each + i;
          if (!store_->write([&](Write& write) { insert(write, id); }).ok()) ++failed;
          const auto found = store_->read(
              [&](Session& s) { return s.find<std::int64_t>("SELECT id FROM numbers WHERE id = ?", {id}); });
          if (!found.ok() || !*found) ++failed;
        }
      });
    }
  }
  EXPECT_EQ(failed, 0);
  EXPECT_EQ(ids(*store_).size(), static_cast<std::size_t>(threads * each));
  EXPECT_LT(store_->commits() - before, threads * each / 2);
}

TEST_P(GroupCommitContract, a_batch_has_an_end) {
  store_.reset();
  database_->config.max_batch = 10;
  store_ = database_->open(migrations);
  const auto before = store_->commits();
  Barrier barrier(*store_);
  for (int i = 0; i < 99; ++i) submit(std::to_string(i), i);
  barrier.open();
  outcomes_.wait_for(99);
  EXPECT_EQ(store_->commits(), before + 10);
}

TEST_P(GroupCommitContract, stopping_finishes_what_is_queued) {
  auto barrier = std::make_unique<Barrier>(*store_);
  for (int i = 0; i < 50; ++i) submit(std::to_string(i), i);
  std::thread stopping([&] { store_->stop(); });
  barrier->open();
  stopping.join();
  EXPECT_EQ(outcomes_.wait_for(50).back(), "49:ok");
  EXPECT_EQ(store_->write([](Write&) {}).error().reason, "stopped");
  EXPECT_EQ(store_->read([](Session&) {}).error().reason, "stopped");
  store_->stop();
  store_ = database_->open(migrations);
  EXPECT_EQ(ids(*store_).size(), 50U);
}

TEST_P(GroupCommitContract, a_store_without_a_log_has_no_outbox) {
  EXPECT_EQ(store_->write([](Write& write) { write.outbox(); }).error().code, ErrorCode::internal);
}

TEST_P(GroupCommitContract, a_lost_connection_is_opened_again) {
  if (sqlite()) return;  // has none
  EXPECT_TRUE(store_->write([](Write& write) { insert(write, 1); }).ok());
  EXPECT_EQ(ids(*store_).size(), 1U);
  postgresql_server().restart();
  // Nothing was done on the sessions that were lost, so others take their place without anybody's notice.
  EXPECT_EQ(ids(*store_), (std::vector<std::int64_t>{1}));
  EXPECT_TRUE(store_->write([](Write& write) { insert(write, 2); }).ok());
  EXPECT_EQ(ids(*store_), (std::vector<std::int64_t>{1, 2}));
}

TEST_P(GroupCommitContract, it_is_measured) {
  struct Registry : Metrics {
    Counter& counter(std::string_view name, std::string_view, MetricLabels) override {
      return counters[std::string(name)];
    }
    Gauge& gauge(std::string_view name, std::string_view, MetricLabels) override { return gauges[std::string(name)]; }
    Histogram& histogram(std::string_view name, std::string_view, MetricLabels) override {
      return histograms[std::string(name)];
    }
    void computed_gauge(std::string_view, std::string_view, MetricLabels, std::function<std::int64_t()>) override {}
    std::map<std::string, Counter> counters;
    std::map<std::string, Gauge> gauges;
    std::map<std::string, Histogram> histograms;
  } registry;
  store_.reset();
  store_ = database_->open(migrations, nullptr, &registry);
  EXPECT_TRUE(store_->write([](Write& write) { insert(write, 1); }).ok());
  EXPECT_FALSE(store_->write([](Write& write) { insert(write, 1); }).ok());
  store_.reset();
  EXPECT_EQ(registry.counters["store_commits"].value(), 1U);
  EXPECT_EQ(registry.counters["store_pieces"].value(), 2U);
  EXPECT_EQ(registry.counters["store_failed_pieces"].value(), 1U);
  EXPECT_EQ(registry.gauges["store_batch_size"].value(), 1);
  EXPECT_GT(registry.histograms["store_write_seconds"].sum_ns(), 0U);
  EXPECT_GT(registry.histograms["store_commit_seconds"].sum_ns(), 0U);
}

FOR_EVERY_ENGINE(GroupCommitContract);

TEST(StoreDeathTest, work_must_not_use_a_store) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  testing::TemporaryDatabase database;
  const auto store = database.open(migrations);
  const auto write_in_write = [&] { return store->write([&](Write&) { return store->write([](Write&) {}); }); };
  const auto read_in_read = [&] { return store->read([&](Session&) { return store->read([](Session&) {}); }); };
#ifdef NDEBUG
  EXPECT_EQ(write_in_write().error().code, ErrorCode::internal);
  EXPECT_EQ(read_in_read().error().code, ErrorCode::internal);
#else
  EXPECT_DEATH(static_cast<void>(write_in_write()), "Store::write was called from inside");
  EXPECT_DEATH(static_cast<void>(read_in_read()), "Store::read was called from inside");
#endif
}

}  // namespace
}  // namespace backplane::storage
