// How a log rides on the transactions of a store.
#include <mutex>
#include <string>
#include <vector>

#include "backplane/storage/commit_hook.h"
#include "engines.h"

namespace backplane::storage {
namespace {

constexpr Migration migrations[] = {{1, "numbers", "CREATE TABLE numbers (id BIGINT PRIMARY KEY);"}};

/// A hook as the outbox is one: it counts pieces, and keeps the count in a table of its own.
class Counting final : public CommitHook {
 public:
  void opened(Session& session, Sharing) override {
    session.execute("CREATE TABLE IF NOT EXISTS bp_count (value BIGINT NOT NULL)");
    if (!session.find<std::int64_t>("SELECT value FROM bp_count")) session.execute("INSERT INTO bp_count VALUES (0)");
    stored = count = *session.find<std::int64_t>("SELECT value FROM bp_count");
  }
  log::Outbox& outbox() override { throw std::logic_error("not in this test"); }
  void begin_piece(Write&) override {
    calls += 'b';
    before_piece_ = count++;
  }
  void roll_back_piece() override {
    calls += 'r';
    count = before_piece_;
  }
  void before_commit(Session& session) override {
    calls += 'c';
    session.execute("UPDATE bp_count SET value = ?", {count});
    if (fail) throw Failure(unavailable("refused", "the hook says no"));
  }
  void committed() override {
    calls += 'C';
    stored = count;
  }
  void rolled_back() override {
    calls += 'R';
    count = stored;
  }

  std::string calls;
  bool fail = false;
  std::int64_t count = 0;
  std::int64_t stored = 0;

 private:
  std::int64_t before_piece_ = 0;
};

class CommitHookContract : public StoreContract {
 protected:
  void SetUp() override { store_ = database_->open(migrations, &hook_); }
  void TearDown() override { store_.reset(); }
  /// Runs pieces that insert these ids in one batch; answers their outcomes.
  std::string write_together(const std::vector<std::int64_t>& ids) {
    std::string outcomes;
    std::mutex hold;
    {
      const std::lock_guard lock(hold);
      hook_.calls.clear();
      store_->submit(
          [&](Write&) {
            const std::lock_guard wait(hold);
            return Result<void>();
          },
          {});
      for (const std::int64_t id : ids) {
        store_->submit(
            [id](Write& write) {
              write.execute("INSERT INTO numbers (id) VALUES (?)", {id});
              return Result<void>();
            },
            [&outcomes](Result<void> result) { outcomes += result.ok() ? "ok " : result.error().reason + " "; });
      }
    }
    EXPECT_TRUE(store_->write([](Write&) {}).ok() || hook_.fail);  // all that was before it is complete
    return outcomes;
  }
  Counting hook_;
  std::unique_ptr<Store> store_;
};

TEST_P(CommitHookContract, it_is_told_of_pieces_and_of_the_commit) {
  EXPECT_EQ(write_together({1, 2, 1, 3}), "ok ok constraint ok ");
  EXPECT_EQ(hook_.calls.substr(0, 6), "bbbbrb") << hook_.calls;  // the write that waits may be in a batch of its own
  EXPECT_EQ(hook_.calls.back(), 'C');
  EXPECT_EQ(hook_.count, 5);
  store_.reset();
  Counting next;
  store_ = database_->open(migrations, &next);
  EXPECT_EQ(next.stored, 5);
  store_.reset();
}

TEST_P(CommitHookContract, a_single_failing_piece_is_no_commit) {
  EXPECT_TRUE(store_->write([](Write& write) { write.execute("INSERT INTO numbers (id) VALUES (1)"); }).ok());
  hook_.calls.clear();
  EXPECT_FALSE(store_->write([](Write& write) { write.execute("INSERT INTO numbers (id) VALUES (1)"); }).ok());
  EXPECT_EQ(hook_.calls, "brR");
  EXPECT_EQ(hook_.count, 1);
}

TEST_P(CommitHookContract, when_it_fails_the_whole_batch_fails_and_chains_break) {
  hook_.fail = true;
  EXPECT_EQ(write_together({1, 2}), "refused refused ");
  const auto chain = std::make_shared<Chain>();
  EXPECT_EQ(store_->write([](Write&) {}, chain).error().reason, "refused");
  EXPECT_TRUE(chain->broken());
  EXPECT_EQ(hook_.calls.back(), 'R');
  EXPECT_EQ(hook_.count, 0);
  hook_.fail = false;
  EXPECT_EQ(write_together({1, 2}), "ok ok ");
  EXPECT_EQ(*store_->read([](Session& session) { return *session.find<std::int64_t>("SELECT value FROM bp_count"); }),
            4);
}

FOR_EVERY_ENGINE(CommitHookContract);

}  // namespace
}  // namespace backplane::storage
