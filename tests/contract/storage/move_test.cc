// Moves of SQLite databases to PostgreSQL.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "backplane/storage/move.h"
#include "engines.h"

namespace backplane::storage {
namespace {

constexpr Migration migrations[] = {{1, "tables", R"sql(
CREATE TABLE parents (id {row_number}, name TEXT NOT NULL UNIQUE);
CREATE TABLE children (
  name TEXT NOT NULL, place TEXT NOT NULL, parent BIGINT NOT NULL REFERENCES parents (id), weight DOUBLE PRECISION,
  data {bytes}, PRIMARY KEY (name, place)
) {without_rowid};
CREATE INDEX children_by_parent ON children (parent) WHERE weight IS NOT NULL;
)sql"},
                                    {2, "notes", "CREATE TABLE a_note (text TEXT, number BIGINT);"}};

struct Observer final : MoveObserver {
  std::function<void(Step, std::string_view, std::int64_t)> on_progress;
  void progress(Step step, std::string_view, std::string_view table, std::int64_t rows, std::int64_t) override {
    if (on_progress) on_progress(step, table, rows);
  }
  void finished(Step step, std::string_view, std::string_view table, std::int64_t rows) override {
    if (on_progress) on_progress(step, table, rows);
  }
};

const std::vector<std::string> strange_texts{"",
                                             " ",
                                             "plain",
                                             "\"quoted\"",
                                             "'",
                                             "\\",
                                             "\\\"",
                                             "{a,b}",
                                             "NULL",
                                             "null",
                                             "line\nbreak\ttab",
                                             "ünï€😀",
                                             "\x01",
                                             "a\\N",
                                             std::string(100000, 'x'),
                                             "Z",
                                             "a",
                                             "B",
                                             "é"};

class MoveTest : public ::testing::Test {
 protected:
  MoveTest() : target_(std::in_place, postgresql_server()) {
    store_ = {"plugin", {std::begin(migrations), std::end(migrations)}, source_.config.path, target_->config};
    options_.batch_rows = 7;
  }

  void fill(int children) {
    const auto store = source_.open(migrations);
    const auto filled = store->write([&](Write& write) {
      for (int i = 1; i <= 5; ++i)
        write.execute("INSERT INTO parents (id, name) VALUES (?, ?)",
                      {i * 1000000007LL, "parent " + std::to_string(i)});
      for (int i = 0; i < children; ++i) {
        const std::optional<double> weight = i % 3 == 0 ? std::nullopt : std::optional(i / 7.0);
        write.execute("INSERT INTO children (name, place, parent, weight, data) VALUES (?, ?, ?, ?, ?)",
                      {"child " + std::to_string(i * 7919 % 1000), i, (i % 5 + 1) * 1000000007LL, weight,
                       Bytes{std::string("\0bytes\xff", 7) + std::to_string(i)}});
      }
      for (const std::string& text : strange_texts)
        write.execute("INSERT INTO a_note (text, number) VALUES (?, ?)", {text, nullptr});
      for (const std::int64_t number :
           {std::numeric_limits<std::int64_t>::min(), std::int64_t{0}, std::numeric_limits<std::int64_t>::max()})
        write.execute("INSERT INTO a_note (text, number) VALUES (?, ?)", {nullptr, number});
    });
    ASSERT_TRUE(filled.ok()) << filled.error().text;
  }
  void change(testing::TemporaryDatabase& database, const std::string& sql) {
    const auto changed = database.open(migrations)->write([&](Write& write) { write.execute(sql); });
    ASSERT_TRUE(changed.ok()) << changed.error().text;
  }

  Result<MoveSummary> move() {
    return move_stores(std::span(&store_, 1), options_, system_clock(), testing::quiet_logger(), observer_);
  }
  /// Ends it at a batch, as far as the databases can tell.
  void end_move_at(int batch) {
    int batches = 0;
    observer_.on_progress = [&](auto, auto, auto) {
      if (++batches == batch) throw Failure(unavailable("ended", "by the test"));
    };
    const auto result = move();
    ASSERT_FALSE(result.ok()) << "it has fewer batches";
    EXPECT_EQ(result.error().reason, "ended") << result.error().text;
    observer_.on_progress = nullptr;
  }
  std::string reason() {
    const auto result = move();
    return result.ok() ? "moved" : result.error().reason;
  }

  /// What a store of either engine has, for a comparison that owes nothing to the mover's.
  static std::vector<std::string> content(Store& store) {
    std::vector<std::string> all;
    const auto read = store.read([&](Session& session) {
      session.each<std::int64_t, std::string>(
          "SELECT id, name FROM parents", {},
          [&](std::int64_t id, std::string name) { all.push_back("parent " + std::to_string(id) + name); });
      session.each<std::string, std::string, std::int64_t, std::optional<double>, Bytes>(
          "SELECT name, place, parent, weight, data FROM children", {},
          [&](std::string name, std::string place, std::int64_t parent, std::optional<double> weight, Bytes data) {
            std::string text = "child " + name + place + std::to_string(parent) + data.data;
            all.push_back(text + (weight ? std::to_string(std::llround(*weight * 1e15)) : "none"));
          });
      session.each<std::optional<std::string>, std::optional<std::int64_t>>(
          "SELECT text, number FROM a_note", {},
          [&](std::optional<std::string> text, std::optional<std::int64_t> number) {
            all.push_back("note " + text.value_or("none ") + std::to_string(number.value_or(42)));
          });
    });
    EXPECT_TRUE(read.ok()) << read.error().text;
    std::ranges::sort(all);
    return all;
  }
  /// The indexes of a PostgreSQL schema, as statements.
  static std::vector<std::string> indexes(Store& store) {
    const auto read = store.read([](Session& session) {
      return session.list<std::string>(
          "SELECT replace(indexdef, quote_ident(current_schema()) || '.', '') FROM pg_indexes WHERE schemaname = "
          "current_schema() "
          "ORDER BY indexname");
    });
    EXPECT_TRUE(read.ok());
    return *read;
  }
  void expect_moved() {
    const auto before = source_.open(migrations), after = target_->open(migrations);
    EXPECT_EQ(content(*before), content(*after));
    testing::TemporaryDatabase fresh(postgresql_server());
    const auto never_moved = fresh.open(migrations);
    EXPECT_EQ(indexes(*after), indexes(*never_moved));
    EXPECT_GE(indexes(*after).size(), 4U);
  }

  testing::TemporaryDatabase source_;
  std::optional<testing::TemporaryDatabase> target_;
  MovedStore store_;
  MoveOptions options_;
  Observer observer_;
};

TEST_F(MoveTest, everything_is_there_afterwards) {
  fill(100);
  const auto summary = move();
  ASSERT_TRUE(summary.ok()) << summary.error().text;
  ASSERT_EQ(summary->stores.size(), 1U);
  EXPECT_EQ(summary->stores[0].tables, 3);
  EXPECT_EQ(summary->stores[0].rows, 5 + 100 + static_cast<std::int64_t>(strange_texts.size()) + 3);
  expect_moved();
  // The constraints are there, too.
  const auto store = target_->open(migrations);
  const auto orphan = store->write(
      [](Write& write) { write.execute("INSERT INTO children (name, place, parent) VALUES ('orphan', '', 5)"); });
  EXPECT_EQ(orphan.error().reason, "constraint");
}

TEST_F(MoveTest, an_empty_database_moves) {
  source_.open(migrations);
  EXPECT_EQ(reason(), "moved");
  expect_moved();
}

TEST_F(MoveTest, it_goes_on_where_it_was_ended) {
  fill(200);
  // In a table, between two, before and in the comparison.
  for (const int batch : {1, 2, 3, 15, 31, 32, 37, 38, 40}) {
    SCOPED_TRACE(batch);
    target_.emplace(postgresql_server());
    store_.target = target_->config;
    end_move_at(batch);
    EXPECT_EQ(target_->try_open(migrations).error().reason, "move_unfinished");
    EXPECT_EQ(reason(), "moved");
    expect_moved();
  }
}

TEST_F(MoveTest, what_was_copied_is_not_copied_again) {
  fill(200);
  options_.batch_rows = 50;
  end_move_at(6);  // the notes, the parents, and two parts of the children
  std::vector<std::int64_t> rows;
  observer_.on_progress = [&](MoveObserver::Step step, std::string_view table, std::int64_t count) {
    if (step == MoveObserver::Step::copy && table == "children") rows.push_back(count);
  };
  EXPECT_EQ(reason(), "moved");
  EXPECT_EQ(rows, (std::vector<std::int64_t>{150, 200, 200}));
  expect_moved();
}

TEST_F(MoveTest, an_older_database_keeps_its_version_until_a_server_opens_it) {
  const std::span<const Migration> first(migrations, 1);
  source_.open(first);
  EXPECT_EQ(reason(), "moved");
  const auto store = target_->open(first);
  EXPECT_EQ(
      store->read([](Session& session) { return *session.find<std::int64_t>("SELECT MAX(number) FROM bp_migrations"); })
          .value(),
      1);
}

TEST_F(MoveTest, a_target_with_data_is_refused) {
  fill(3);
  target_->open(migrations);
  const auto result = move();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "target_not_empty");
  EXPECT_EQ(result.error().text.substr(0, 8), "plugin: ");
  options_.start_over = true;  // which is for unfinished moves only
  EXPECT_EQ(reason(), "target_not_empty");
}

TEST_F(MoveTest, a_second_move_is_refused) {
  fill(3);
  std::string inside;
  observer_.on_progress = [&](auto, auto, auto) {
    observer_.on_progress = nullptr;
    options_.lock_wait = Duration::zero();
    inside = reason();
    options_.lock_wait = std::chrono::seconds(10);  // the session of the one before may still be ending
  };
  EXPECT_EQ(reason(), "moved");
  EXPECT_EQ(inside, "store_in_use");
  EXPECT_EQ(reason(), "target_not_empty");
}

TEST_F(MoveTest, another_source_cannot_go_on) {
  fill(50);
  end_move_at(3);
  change(source_, "DELETE FROM a_note WHERE text = 'plain'");
  EXPECT_EQ(reason(), "source_changed");
  options_.start_over = true;
  EXPECT_EQ(reason(), "moved");
  expect_moved();
}

TEST_F(MoveTest, a_row_that_changed_meanwhile_is_found) {
  fill(50);
  end_move_at(16);  // they are all there
  change(source_, "UPDATE children SET parent = 2000000014 WHERE place = '5'");
  const auto result = move();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "rows_differ");
  EXPECT_NE(result.error().text.find("place = 5"), std::string::npos) << result.error().text;
  EXPECT_NE(result.error().text.find("in column parent"), std::string::npos) << result.error().text;
  EXPECT_EQ(target_->try_open(migrations).error().reason, "move_unfinished");
}

TEST_F(MoveTest, rows_that_are_missing_or_too_many_are_found) {
  fill(50);
  testing::TemporaryDatabase beside(postgresql_server());  // in the same database, to reach the schema from
  const std::string children = Dialect::identifier(target_->config.schema) + ".children";
  for (const std::string& sql : {"DELETE FROM " + children + " WHERE place = '7'",
                                 "INSERT INTO " + children + " (name, place, parent) VALUES ('zzz', '', 1000000007)"}) {
    bool changed = false;
    observer_.on_progress = [&](MoveObserver::Step step, auto, auto) {
      if (step == MoveObserver::Step::copy || std::exchange(changed, true)) return;
      change(beside, sql);
    };
    EXPECT_EQ(reason(), "rows_differ");
    options_.start_over = true;
  }
}

TEST_F(MoveTest, values_that_postgresql_cannot_have_are_refused) {
  fill(3);
  change(source_, "UPDATE a_note SET number = 'many' WHERE text = 'plain'");
  const auto result = move();
  ASSERT_FALSE(result.ok());
  EXPECT_EQ(result.error().reason, "cannot_move");
  EXPECT_NE(result.error().text.find("table a_note: 1 rows have a value"), std::string::npos) << result.error().text;
}

TEST_F(MoveTest, a_newer_database_is_refused) {
  fill(3);
  store_.migrations.pop_back();
  EXPECT_EQ(reason(), "database_newer");
}

TEST_F(MoveTest, a_table_that_the_migrations_do_not_make_is_refused) {
  fill(3);
  change(source_, "CREATE TABLE strange (id BIGINT)");
  EXPECT_EQ(reason(), "cannot_move");
}

TEST_F(MoveTest, a_file_that_is_not_there_is_refused_and_not_made) {
  EXPECT_EQ(reason(), "storage");
  EXPECT_NE(access(source_.config.path.c_str(), F_OK), 0);
}

TEST_F(MoveTest, the_file_stays_as_it_is) {
  fill(20);
  source_.open(migrations).reset();
  const auto bytes = [&] {
    std::ifstream file(source_.config.path, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const std::string before = bytes();
  EXPECT_EQ(reason(), "moved");
  EXPECT_EQ(before, bytes());
}

TEST_F(MoveTest, several_stores_open_together) {
  fill(30);
  testing::TemporaryDatabase other_source, other_target(postgresql_server());
  other_source.open(migrations);
  const std::vector<MovedStore> stores{store_,
                                       {"other", store_.migrations, other_source.config.path, other_target.config}};
  const auto move_both = [&] {
    return move_stores(stores, options_, system_clock(), testing::quiet_logger(), observer_);
  };
  observer_.on_progress = [&](MoveObserver::Step step, auto, auto) {
    if (step == MoveObserver::Step::compare) throw Failure(unavailable("ended", "by the test"));
  };
  EXPECT_FALSE(move_both().ok());
  EXPECT_EQ(target_->try_open(migrations).error().reason, "move_unfinished");
  EXPECT_EQ(other_target.try_open(migrations).error().reason, "move_unfinished");
  observer_.on_progress = nullptr;
  const auto moved = move_both();
  ASSERT_TRUE(moved.ok()) << moved.error().text;
  EXPECT_EQ(moved->stores.size(), 2U);
  expect_moved();
  EXPECT_TRUE(other_target.try_open(migrations).ok());
}

}  // namespace
}  // namespace backplane::storage
