#include "backplane/http/errors.h"

#include <gtest/gtest.h>

#include "backplane/http/message.h"

namespace backplane::http {
namespace {

void expect_row(ErrorCode code, std::string_view reason, std::string_view errcode, int status) {
  const StandardError found = standard_error(code, reason);
  EXPECT_EQ(found.errcode, errcode) << reason;
  EXPECT_EQ(found.status, status) << reason;
}

TEST(StandardError, OfTheCodeAlone) {
  expect_row(ErrorCode::not_found, "", "M_NOT_FOUND", 404);
  expect_row(ErrorCode::denied, "no_such_reason", "M_FORBIDDEN", 403);
  expect_row(ErrorCode::invalid, "", "M_INVALID_PARAM", 400);
  expect_row(ErrorCode::conflict, "", "M_UNKNOWN", 409);
  expect_row(ErrorCode::incomplete, "", "M_UNKNOWN", 502);
  expect_row(ErrorCode::timeout, "", "M_UNKNOWN", 504);
  expect_row(ErrorCode::unavailable, "", "M_UNKNOWN", 503);
  expect_row(ErrorCode::internal, "", "M_UNKNOWN", 500);
}

TEST(StandardError, OfTheReason) {
  expect_row(ErrorCode::invalid, "not_json", "M_NOT_JSON", 400);
  expect_row(ErrorCode::invalid, "too_large", "M_TOO_LARGE", 413);
  expect_row(ErrorCode::denied, "unknown_token", "M_UNKNOWN_TOKEN", 401);
  expect_row(ErrorCode::denied, "missing_token", "M_MISSING_TOKEN", 401);
  expect_row(ErrorCode::not_found, "unrecognized", "M_UNRECOGNIZED", 404);
  expect_row(ErrorCode::invalid, "wrong_method", "M_UNRECOGNIZED", 405);
  expect_row(ErrorCode::unavailable, "limit_exceeded", "M_LIMIT_EXCEEDED", 429);
  expect_row(ErrorCode::conflict, "room_in_use", "M_ROOM_IN_USE", 400);
  expect_row(ErrorCode::denied, "wrong_room_keys_version", "M_WRONG_ROOM_KEYS_VERSION", 403);
}

TEST(StandardError, InternalFaultsHaveNoReasonForClients) {
  expect_row(ErrorCode::internal, "not_json", "M_UNKNOWN", 500);
}

TEST(ErrorBody, HasTheFurtherFields) {
  const Error error =
      invalid("incompatible_room_version", "no \"13\" here").with("room_version", "13").with_json("n", "4");
  EXPECT_EQ(error_body(error),
            R"({"errcode":"M_INCOMPATIBLE_ROOM_VERSION","error":"no \"13\" here","room_version":"13","n":4})");
}

TEST(ErrorResponse, SaysWhenToComeBack) {
  const Response response =
      Response::error(unavailable("limit_exceeded", "slow down").with_json("retry_after_ms", "1200"));
  EXPECT_EQ(response.status, 429);
  ASSERT_EQ(response.headers.size(), 1U);
  EXPECT_EQ(response.headers[0].name, "Retry-After");
  EXPECT_EQ(response.headers[0].value, "2");
}

}  // namespace
}  // namespace backplane::http
