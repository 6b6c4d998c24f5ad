#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "host/observe/log_format.h"
#include "host/observe/log_sink.h"
#include "unit/host/test_parts.h"

namespace backplane::host::test {
namespace {

constexpr std::int64_t at_five = 1'795'366'800'123;

std::string text(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  return format_text({at_five, level, "room_server", event, fields.begin(), fields.size()});
}

TEST(LogFormat, TextIsOneLineOfAnEventAndItsFields) {
  EXPECT_EQ(text(LogLevel::info, "rejected event",
                 {{"event_id", "$x:y"}, {"rule", "4.3 b"}, {"count", 3}, {"ok", true}, {"share", 0.5}, {"none", ""}}),
            "2026-11-22T17:00:00.123Z info  room_server: rejected event event_id=$x:y rule=\"4.3 b\" count=3 ok=true "
            "share=0.5 none=\"\"");
  EXPECT_EQ(text(LogLevel::warning, "a\nb", {{"v", "line\nbreak"}, {"q", "a\"b"}, {"e", "a=b"}}),
            "2026-11-22T17:00:00.123Z warning room_server: a b v=\"line\\nbreak\" q=\"a\\\"b\" e=\"a=b\"");
}

TEST(LogFormat, JsonIsOneObject) {
  const std::initializer_list<LogField> fields{{"event", "x"}, {"n", -1}, {"ok", false}, {"t", "a\nb"}};
  EXPECT_EQ(
      format_json({at_five, LogLevel::error, "http", "failed", fields.begin(), fields.size()}),
      R"({"time":"2026-11-22T17:00:00.123Z","level":"error","component":"http","event":"failed","event_":"x","n":-1,"ok":false,"t":"a\nb"})");
}

class LogSinkTest : public ::testing::Test {
 protected:
  LogSinkTest() {
    char pattern[] = "/tmp/backplane_log_XXXXXX";
    folder_ = mkdtemp(pattern);
  }
  ~LogSinkTest() override { std::filesystem::remove_all(folder_); }
  static std::string read(const std::string& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::string folder_;
  ManualClock clock_;
};

TEST_F(LogSinkTest, WritesAFileAndOpensItAgain) {
  auto sink = SpdlogSink::open({false, folder_ + "/log"}, clock_);
  ASSERT_TRUE(sink) << sink.error().text;
  LogLevels levels(LogLevel::info);
  const Logger logger(**sink, levels.level_of("a"), "a");
  logger.info("one {} %v", {{"x", "{}"}});
  logger.debug("not shown");
  std::filesystem::rename(folder_ + "/log", folder_ + "/log.1");
  ASSERT_TRUE((*sink)->reopen());
  logger.info("two");
  (*sink)->flush();
  EXPECT_EQ(read(folder_ + "/log.1"), "2026-11-22T17:00:00.123Z info  a: one {} %v x={}\n");
  EXPECT_EQ(read(folder_ + "/log"), "2026-11-22T17:00:00.123Z info  a: two\n");
}

TEST_F(LogSinkTest, SaysWhyItCannotWrite) {
  std::ofstream(folder_ + "/file") << "x";
  const auto sink = SpdlogSink::open({true, folder_ + "/file/log"}, clock_);
  ASSERT_FALSE(sink);
  EXPECT_EQ(sink.error().reason, "cannot_log");
  EXPECT_TRUE(sink.error().text.starts_with("Cannot write the log to " + folder_ + "/file/log"));
}

TEST(LogLevels, ChangeAtOnceAndByComponent) {
  LogLevels levels(LogLevel::info);
  RecordingSink sink;
  const Logger a(sink, levels.level_of("a"), "a");
  const Logger b(sink, levels.level_of("b"), "b");
  EXPECT_FALSE(a.enabled(LogLevel::debug));
  levels.set("a", LogLevel::debug);
  EXPECT_TRUE(a.enabled(LogLevel::debug));
  levels.set_default(LogLevel::error);
  EXPECT_TRUE(a.enabled(LogLevel::debug));
  EXPECT_FALSE(b.enabled(LogLevel::warning));
  EXPECT_EQ(levels.level_of("c").load(), LogLevel::error);
}

}  // namespace
}  // namespace backplane::host::test
