// Answers in pieces of every size, and what is none.
#include "host/remote/answer_reader.h"

#include <gtest/gtest.h>

namespace backplane::host {
namespace {

using Progress = AnswerReader::Progress;

constexpr std::string_view whole =
    "HTTP/1.1 503 Service Unavailable\r\nServer: x\r\ncontent-LENGTH:  7 \r\nContent-Type: application/json\r\n\r\n"
    "{\"a\":1}";

TEST(AnswerReader, reads_an_answer_however_it_is_cut) {
  for (std::size_t size = 1; size <= whole.size(); ++size) {
    AnswerReader reader;
    Progress progress = Progress::more;
    for (std::size_t at = 0; at < whole.size(); at += size) {
      ASSERT_EQ(progress, Progress::more) << "pieces of " << size << " at " << at;
      progress = reader.feed(whole.substr(at, size));
    }
    ASSERT_EQ(progress, Progress::done) << "pieces of " << size;
    EXPECT_EQ(reader.status(), 503);
    EXPECT_EQ(reader.body(), "{\"a\":1}");
    EXPECT_TRUE(reader.keeps());
  }
}

TEST(AnswerReader, knows_which_connections_end) {
  AnswerReader closing;
  EXPECT_EQ(closing.feed("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n"), Progress::done);
  EXPECT_FALSE(closing.keeps());
  AnswerReader old;
  EXPECT_EQ(old.feed("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Progress::done);
  EXPECT_FALSE(old.keeps());
  EXPECT_EQ(old.body(), "{}");
}

TEST(AnswerReader, passes_over_what_comes_before_the_answer) {
  AnswerReader reader;
  EXPECT_EQ(reader.feed("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"), Progress::done);
  EXPECT_EQ(reader.status(), 200);
}

TEST(AnswerReader, refuses_what_is_no_answer) {
  for (const std::string text :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 abc\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 999999999999\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{}"}) {
    AnswerReader reader;
    EXPECT_EQ(reader.feed(text), Progress::bad) << text;
  }
  AnswerReader endless;
  Progress progress = Progress::more;
  for (int i = 0; i < 100 && progress == Progress::more; ++i) progress = endless.feed(std::string(1024, 'x'));
  EXPECT_EQ(progress, Progress::bad);
}

}  // namespace
}  // namespace backplane::host
