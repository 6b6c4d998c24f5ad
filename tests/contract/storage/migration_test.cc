// How a database comes to the version of the program.
#include <unistd.h>

#include <string>
#include <vector>

#include "engines.h"

namespace backplane::storage {
namespace {

class MigrationContract : public StoreContract {
 protected:
  std::int64_t version() {
    const auto store = database_->open(applied_);
    return *store->read(
        [](Session& session) { return *session.find<std::int64_t>("SELECT MAX(number) FROM bp_migrations"); });
  }
  std::vector<Migration> applied_;
};

constexpr Migration first{
    1, "one", "CREATE TABLE one (id BIGINT PRIMARY KEY);\n-- a comment; with a semicolon\nINSERT INTO one VALUES (1);"};
constexpr Migration second{
    2, "two", "ALTER TABLE one ADD COLUMN word TEXT NOT NULL DEFAULT ';';\nCREATE TABLE two (id BIGINT PRIMARY KEY)"};

TEST_P(MigrationContract, an_older_database_is_brought_up_to_date_once) {
  applied_ = {first};
  EXPECT_EQ(version(), 1);
  applied_ = {first, second};
  EXPECT_EQ(version(), 2);
  const auto store = database_->open(applied_);
  const auto rows = store->read([](Session& session) { return session.list<std::string>("SELECT word FROM one"); });
  EXPECT_EQ(*rows, std::vector<std::string>{";"});
}

TEST_P(MigrationContract, a_failing_one_leaves_the_version_before_it) {
  const Migration failing{3, "three",
                          "CREATE TABLE three (id BIGINT);\nINSERT INTO one (id) VALUES (1);\nDROP TABLE two;"};
  const auto opened = database_->try_open(std::vector<Migration>{first, second, failing});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().reason, "migration_failed");
  EXPECT_NE(opened.error().text.find("migration 3 (three) failed, the database stays at version 2"), std::string::npos)
      << opened.error().text;
  applied_ = {first, second};
  EXPECT_EQ(version(), 2);
  const auto store = database_->open(applied_);
  EXPECT_TRUE(store->read([](Session& session) { session.list<std::int64_t>("SELECT id FROM two"); }).ok());
  EXPECT_FALSE(store->read([](Session& session) { session.list<std::int64_t>("SELECT id FROM three"); }).ok());
}

TEST_P(MigrationContract, a_newer_database_is_refused_with_both_versions) {
  applied_ = {first, second};
  EXPECT_EQ(version(), 2);
  const auto opened = database_->try_open(std::vector<Migration>{first});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::conflict);
  EXPECT_EQ(opened.error().reason, "database_newer");
  EXPECT_NE(opened.error().text.find("at version 2"), std::string::npos) << opened.error().text;
  EXPECT_NE(opened.error().text.find("up to 1"), std::string::npos) << opened.error().text;
}

TEST_P(MigrationContract, numbers_have_no_gap_and_no_repetition) {
  for (const std::vector<Migration>& wrong :
       {std::vector<Migration>{second}, {first, first}, {first, {3, "three", ""}}}) {
    const auto opened = database_->try_open(wrong);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.error().reason, "migration_numbers");
  }
}

TEST_P(MigrationContract, without_migrations_there_is_an_empty_database) {
  EXPECT_TRUE(database_->open({})->read([](Session&) { return 1; }).ok());
}

FOR_EVERY_ENGINE(MigrationContract);

TEST(SqliteOpening, what_is_no_database_is_refused) {
  testing::TemporaryDatabase database;
  database.config.path = "/nonexistent/folder/database.sqlite";
  const auto opened = database.try_open({});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
  EXPECT_EQ(opened.error().reason, "storage");
}

TEST(SqliteOpening, any_path_will_do) {
  testing::TemporaryDatabase database;
  for (const char* name : {"/with space.sqlite", "/with=equals and  spaces.sqlite", "/ünïcode.sqlite"}) {
    testing::TemporaryFolder folder;
    database.config.path = folder.path() + name;
    database.open(std::vector<Migration>{first});
    EXPECT_EQ(access(database.config.path.c_str(), R_OK), 0) << name;
  }
}

TEST(PostgresqlOpening, a_server_that_is_not_there) {
  testing::TemporaryDatabase database;
  database.config.engine = Engine::postgresql;
  database.config.connection = "host=/nonexistent dbname=none";
  database.config.schema = "none";
  const auto opened = database.try_open({});
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace backplane::storage
