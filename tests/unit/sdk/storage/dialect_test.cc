#include "backplane/storage/dialect.h"

#include <gtest/gtest.h>

namespace backplane::storage {
namespace {

const Dialect sqlite(Engine::sqlite);
const Dialect postgresql(Engine::postgresql);

TEST(Dialect, tokens_are_filled_in) {
  EXPECT_EQ(sqlite.fill_in("CREATE TABLE t (a {bytes}) {without_rowid};"), "CREATE TABLE t (a TEXT) WITHOUT ROWID;");
  EXPECT_EQ(postgresql.fill_in("CREATE TABLE t (a {bytes}) {without_rowid};"), "CREATE TABLE t (a TEXT) ;");
  EXPECT_EQ(sqlite.fill_in("DEFAULT '{}' {other} {"), "DEFAULT '{}' {other} {");
}

TEST(Dialect, placeholders_are_named_but_in_texts_and_comments) {
  const auto prepared = sqlite.prepare("SELECT '?', \"a?\", ? -- why?\nFROM t WHERE a = ? AND b = 'it''s ?' AND c=?");
  EXPECT_EQ(prepared.sql, "SELECT '?', \"a?\", :p1 \nFROM t WHERE a = :p2 AND b = 'it''s ?' AND c=:p3");
  EXPECT_EQ(prepared.placeholders, 3U);
  EXPECT_EQ(sqlite.prepare("SELECT 'open ?").sql, "SELECT 'open ?");
}

TEST(Dialect, statements_end_with_a_semicolon_at_the_end_of_a_line) {
  const auto statements = Dialect::split(
      "\nCREATE TABLE a (w TEXT DEFAULT 'x;\n'); -- one; two;\n-- only a comment;\nSELECT 1; SELECT 2;\n\nLAST");
  ASSERT_EQ(statements.size(), 3U);
  EXPECT_EQ(statements[0], "CREATE TABLE a (w TEXT DEFAULT 'x;\n')");
  EXPECT_TRUE(statements[1].ends_with("SELECT 1; SELECT 2"));
  EXPECT_EQ(statements[2], "LAST");
  EXPECT_TRUE(Dialect::split("").empty());
  EXPECT_TRUE(Dialect::split(" ;\n -- nothing\n;").empty());
}

TEST(Dialect, identifiers) { EXPECT_EQ(Dialect::identifier("a\"b"), "\"a\"\"b\""); }

}  // namespace
}  // namespace backplane::storage
