// Several rows in few statements.
#include "backplane/storage/rows.h"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engines.h"

namespace backplane::storage {
namespace {

constexpr Migration migrations[] = {{1, "words", R"(
CREATE TABLE words (id BIGINT PRIMARY KEY, word TEXT, octets {bytes});
)"}};
constexpr std::string_view insert_word = "INSERT INTO words (id, word, octets) VALUES (?, ?, ?)";
constexpr std::string_view replace_word =
    "INSERT INTO words (id, word, octets) VALUES (?, ?, ?) ON CONFLICT (id) DO UPDATE SET word = excluded.word";

class RowsContract : public StoreContract {
 protected:
  void SetUp() override { store_ = database_->open(migrations); }
  Result<std::int64_t> insert(std::int64_t first, std::int64_t count, std::string_view sql = insert_word,
                              const std::string& suffix = "") {
    return store_->write([&](Write& write) {
      std::vector<std::string> words;
      for (std::int64_t i = 0; i < count; ++i) words.push_back(std::to_string(first + i) + suffix);
      const Bytes octets{std::string("a\0b", 3)};
      Rows rows(sql);
      for (std::int64_t i = 0; i < count; ++i) {
        if (i % 3 == 2) rows.add({first + i, nullptr, nullptr});
        else rows.add({first + i, words[static_cast<std::size_t>(i)], octets});
      }
      const std::int64_t inserted = rows.insert(write);
      EXPECT_TRUE(rows.empty());
      return inserted;
    });
  }
  std::vector<std::pair<std::int64_t, std::string>> stored() {
    std::vector<std::pair<std::int64_t, std::string>> found;
    const auto read = store_->read([&](Session& session) {
      session.each<std::int64_t, std::string, std::optional<Bytes>>(
          "SELECT id, word, octets FROM words ORDER BY id", {},
          [&](std::int64_t id, std::string word, const std::optional<Bytes>& octets) {
            EXPECT_EQ(octets.has_value(), !word.empty());
            if (octets) {
              EXPECT_EQ(octets->data, std::string("a\0b", 3));
            }
            found.emplace_back(id, std::move(word));
          });
    });
    EXPECT_TRUE(read.ok());
    return found;
  }
  std::unique_ptr<Store> store_;
};

TEST_P(RowsContract, every_row_comes_however_many_there_are) {
  std::int64_t first = 1;
  for (const std::int64_t count : {0, 1, 2, 7, 8, 9, 16, 23, 64, 65, 200}) {
    const auto inserted = insert(first, count);
    ASSERT_TRUE(inserted) << inserted.error().text;
    EXPECT_EQ(*inserted, count);
    first += count;
  }
  const auto rows = stored();
  ASSERT_EQ(rows.size(), static_cast<std::size_t>(first - 1));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].first, static_cast<std::int64_t>(i) + 1);
    if (!rows[i].second.empty()) {
      EXPECT_EQ(rows[i].second, std::to_string(i + 1));
    }
  }
}

TEST_P(RowsContract, what_follows_the_values_holds_for_each_row) {
  ASSERT_TRUE(insert(1, 20));
  ASSERT_TRUE(insert(10, 20, replace_word, "!"));
  const auto rows = stored();
  ASSERT_EQ(rows.size(), 29U);
  EXPECT_EQ(rows[6].second, "7");
  EXPECT_EQ(rows[9].second, "10!");
  EXPECT_EQ(rows[28].second, "29!");
}

TEST_P(RowsContract, a_row_that_is_refused_refuses_the_work) {
  ASSERT_TRUE(insert(5, 1));
  const auto inserted = insert(1, 9);
  ASSERT_FALSE(inserted);
  EXPECT_EQ(inserted.error().reason, "constraint");
  EXPECT_EQ(stored().size(), 1U);
}

TEST_P(RowsContract, wrong_use_is_said) {
  EXPECT_THROW(Rows("DELETE FROM words"), std::logic_error);
  EXPECT_THROW(Rows("INSERT INTO words (id) VALUES "), std::logic_error);
  Rows rows(insert_word);
  EXPECT_THROW(rows.add({1, "one"}), std::logic_error);
  EXPECT_TRUE(rows.empty());
}

FOR_EVERY_ENGINE(RowsContract);

}  // namespace
}  // namespace backplane::storage
