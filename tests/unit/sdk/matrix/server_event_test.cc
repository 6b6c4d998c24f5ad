#include "backplane/matrix/server_event.h"

#include <gtest/gtest.h>

namespace backplane::matrix {
namespace {

TEST(ServerEvent, has_no_unsigned) {
  EXPECT_EQ(server_event(R"({"content":{"unsigned":1},"type":"a\"b","unsigned":{"prev_content":{}}})"),
            R"({"content":{"unsigned":1},"type":"a\"b"})");
  EXPECT_EQ(server_event(R"({"a":1,"unsigned":{},"v\u0001":[{}]})"), R"({"a":1,"v\u0001":[{}]})");
  EXPECT_EQ(server_event(R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(server_event("{}"), "{}");
}

}  // namespace
}  // namespace backplane::matrix
