// Values, statements and rows.
#include <cstdint>
#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "engines.h"

namespace backplane::storage {
namespace {

constexpr Migration migrations[] = {{1, "values", R"(
CREATE TABLE cells (id BIGINT PRIMARY KEY, whole BIGINT, fraction DOUBLE PRECISION, words TEXT, octets {bytes});
CREATE TABLE names (name TEXT PRIMARY KEY, note TEXT NOT NULL DEFAULT 'a;b?') {without_rowid};
)"}};

using Row =
    std::tuple<std::optional<std::int64_t>, std::optional<double>, std::optional<std::string>, std::optional<Bytes>>;

class SessionContract : public StoreContract {
 protected:
  void SetUp() override { store_ = database_->open(migrations); }
  Row round_trip(std::int64_t id, const Row& row) {
    const auto& [whole, fraction, words, octets] = row;
    auto written = store_->write([&](Write& write) {
      return write.execute("INSERT INTO cells (id, whole, fraction, words, octets) VALUES (?, ?, ?, ?, ?)",
                           {id, whole, fraction, words, octets});
    });
    EXPECT_TRUE(written.ok()) << written.error().text;
    auto read = store_->read([&](Session& session) {
      return session
          .find<std::optional<std::int64_t>, std::optional<double>, std::optional<std::string>, std::optional<Bytes>>(
              "SELECT whole, fraction, words, octets FROM cells WHERE id = ?", {id});
    });
    EXPECT_TRUE(read.ok()) << read.error().text;
    return read->value();
  }
  std::unique_ptr<Store> store_;
};

TEST_P(SessionContract, values_come_back_as_they_went) {
  const std::string all_bytes = [] {
    std::string bytes;
    for (int i = 0; i < 256; ++i) bytes += static_cast<char>(i);
    return bytes;
  }();
  const std::vector<Row> rows{
      {std::nullopt, std::nullopt, std::nullopt, std::nullopt},
      {0, 0.0, "", Bytes{""}},
      {std::numeric_limits<std::int64_t>::max(), 0.1, "text", Bytes{all_bytes}},
      {std::numeric_limits<std::int64_t>::min(), -1e300, "日本語 \xf0\x9f\x98\x80 'quoted' \"so\" \\ ? :p1",
       Bytes{std::string("a\0b", 3)}},
      {-1, 1e-300, std::string(200000, 'x'), Bytes{std::string(100000, '\0')}},
      {1, 2.5, "after a long one", Bytes{"short"}},
  };
  std::int64_t id = 0;
  for (const Row& row : rows) {
    EXPECT_EQ(round_trip(++id, row), row) << id;
  }
}

TEST_P(SessionContract, null_as_a_plain_type_is_its_default) {
  round_trip(1, {});
  const auto read = store_->read([](Session& session) {
    return session.find<std::int64_t, double, std::string, Bytes>("SELECT whole, fraction, words, octets FROM cells");
  });
  EXPECT_EQ(read->value(), (std::tuple<std::int64_t, double, std::string, Bytes>(0, 0, "", Bytes{})));
}

TEST_P(SessionContract, a_text_that_the_engines_store_differently_is_refused) {
  for (const std::string& text : {std::string("a\0b", 3), std::string("\xff")}) {
    const auto written =
        store_->write([&](Write& write) { return write.execute("INSERT INTO names (name) VALUES (?)", {text}); });
    ASSERT_FALSE(written.ok());
    EXPECT_EQ(written.error().code, ErrorCode::invalid);
    EXPECT_EQ(written.error().reason, "bad_text");
  }
}

TEST_P(SessionContract, a_statement_runs_again_with_other_values_and_types) {
  const auto written = store_->write([&](Write& write) {
    for (int i = 0; i < 100; ++i) {
      write.execute(
          "INSERT INTO cells (id, whole, words) VALUES (?, ?, ?)",
          {i, i % 2 == 0 ? Parameter(i) : Parameter(nullptr), i % 3 == 0 ? Parameter(nullptr) : Parameter("w")});
    }
    return write.find<std::int64_t, std::int64_t, std::int64_t>(
        "SELECT COUNT(*), COUNT(whole), COUNT(words) FROM cells");
  });
  ASSERT_TRUE(written.ok()) << written.error().text;
  EXPECT_EQ(written->value(), std::tuple(100, 50, 66));
}

TEST_P(SessionContract, the_same_sql_may_be_read_as_other_types) {
  round_trip(1, {5, 1.5, "7", std::nullopt});
  const auto read = store_->read([](Session& session) {
    const auto number = session.find<std::int64_t>("SELECT whole FROM cells");
    const auto text = session.find<std::string>("SELECT whole FROM cells");
    const auto again = session.find<std::int64_t>("SELECT whole FROM cells");
    return std::tuple(number.value(), text.value(), again.value());
  });
  EXPECT_EQ(*read, std::tuple(5, std::string("5"), 5));
}

TEST_P(SessionContract, changed_rows_are_counted) {
  const auto written = store_->write([&](Write& write) {
    std::vector<std::int64_t> changed;
    for (const char* name : {"a", "b", "c"})
      changed.push_back(write.execute("INSERT INTO names (name) VALUES (?)", {name}));
    changed.push_back(write.execute("INSERT INTO names (name) VALUES (?) ON CONFLICT (name) DO NOTHING", {"a"}));
    changed.push_back(write.execute("UPDATE names SET note = ? WHERE name <> ?", {"n", "b"}));
    changed.push_back(write.execute("UPDATE names SET note = 'literal ? {bytes' WHERE name = 'nobody'"));
    changed.push_back(write.execute("DELETE FROM names"));
    return changed;
  });
  ASSERT_TRUE(written.ok()) << written.error().text;
  EXPECT_EQ(*written, (std::vector<std::int64_t>{1, 1, 1, 0, 2, 0, 3}));
}

TEST_P(SessionContract, rows_are_walked_stopped_and_nested) {
  const auto answer = store_->write([&](Write& write) {
    for (int i = 0; i < 10; ++i) write.execute("INSERT INTO cells (id, whole) VALUES (?, ?)", {i, i * i});
    std::int64_t sum = 0;
    int rows = 0;
    write.each<std::int64_t>("SELECT id FROM cells ORDER BY id", {}, [&](std::int64_t id) {
      sum += *write.find<std::int64_t>("SELECT whole FROM cells WHERE id = ?", {id});
      return ++rows < 5;
    });
    const auto ids = write.list<std::int64_t>("SELECT id FROM cells WHERE id > ? ORDER BY id DESC LIMIT ?", {6, 2});
    return std::tuple(sum, rows, ids);
  });
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(*answer, std::tuple(0 + 1 + 4 + 9 + 16, 5, std::vector<std::int64_t>({9, 8})));
}

TEST_P(SessionContract, returning_and_upsert) {
  const auto answer = store_->write([&](Write& write) {
    constexpr auto upsert =
        "INSERT INTO names (name, note) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET note = names.note || "
        "excluded.note RETURNING note";
    const auto first = write.find<std::string>(upsert, {"a", "1"});
    const auto second = write.find<std::string>(upsert, {"a", "2"});
    return std::tuple(*first, *second, *write.find<std::string>("SELECT note FROM names"));
  });
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(*answer, std::tuple(std::string("1"), std::string("12"), std::string("12")));
}

TEST_P(SessionContract, an_early_stop_does_not_hold_on_to_what_was_read) {
  round_trip(1, {1, {}, {}, {}});
  round_trip(2, {2, {}, {}, {}});
  const auto count = [&] {
    return *store_->read([](Session& session) {
      session.find<std::int64_t>("SELECT id FROM cells ORDER BY id");  // stops after one row
      return *session.find<std::int64_t>("SELECT COUNT(*) FROM cells");
    });
  };
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(count(), 2 + i);
    round_trip(10 + i, {});
  }
}

TEST_P(SessionContract, faults_of_the_sql_are_internal) {
  const auto wrong =
      store_->read([](Session& session) { return session.list<std::int64_t>("SELECT nothing FROM nowhere"); });
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::internal);
  const auto few =
      store_->read([](Session& session) { return session.find<std::int64_t>("SELECT id FROM cells WHERE id = ?"); });
  ASSERT_FALSE(few.ok());
  EXPECT_EQ(few.error().code, ErrorCode::internal);
  const auto again = store_->write([](Write& write) {
    for (int i = 0; i < 2; ++i) write.execute("INSERT INTO cells (id) VALUES (?)", {i});
    write.each<std::int64_t>("SELECT id FROM cells", {},
                             [&](std::int64_t) { write.list<std::int64_t>("SELECT id FROM cells"); });
  });
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::internal);
}

TEST_P(SessionContract, readers_cannot_write) {
  EXPECT_FALSE(store_->read([](Session& session) { session.execute("INSERT INTO cells (id) VALUES (1)"); }).ok());
  EXPECT_EQ(*store_->read([](Session& session) { return *session.find<std::int64_t>("SELECT COUNT(*) FROM cells"); }),
            0);
}

TEST_P(SessionContract, many_different_statements) {
  const auto written = store_->write([](Write& write) {
    std::int64_t sum = 0;
    for (int i = 0; i < 600; ++i)
      sum += *write.find<std::int64_t>("SELECT CAST(? AS BIGINT) + " + std::to_string(i % 400), {1});
    return sum;
  });
  ASSERT_TRUE(written.ok()) << written.error().text;
  EXPECT_EQ(*written, 600 + 399 * 200 + 199 * 100);
}

FOR_EVERY_ENGINE(SessionContract);

}  // namespace
}  // namespace backplane::storage
