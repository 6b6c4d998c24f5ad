#include "backplane/http/message.h"

#include <gtest/gtest.h>

#include "backplane/http/routes.h"

namespace backplane::http {
namespace {

Request with_query(std::string query) {
  Request request;
  request.raw_query = std::move(query);
  return request;
}

TEST(Method, NamesGoBothWays) {
  for (const Method method :
       {Method::get, Method::head, Method::post, Method::put, Method::patch, Method::delete_, Method::options}) {
    EXPECT_EQ(method_from(to_string(method)), method);
  }
  EXPECT_EQ(to_string(Method::delete_), "DELETE");
  EXPECT_EQ(method_from("get"), std::nullopt);
}

TEST(Request, FindsHeadersAndParameters) {
  Request request;
  request.headers = {{"host", "example.org"}, {"accept", "*/*"}};
  request.parameters = {{"roomId", "!a:b"}};
  EXPECT_EQ(request.header("accept"), "*/*");
  EXPECT_EQ(request.header("cookie"), "");
  EXPECT_EQ(request.parameter("roomId"), "!a:b");
}

TEST(Request, DecodesTheQuery) {
  const Request request = with_query("a=1&b=x%20y+z&a=2&flag&%63=3&bad=%zz");
  EXPECT_EQ(request.query("a"), "1");
  EXPECT_EQ(request.query("b"), "x y z");
  EXPECT_EQ(request.query("flag"), "");
  EXPECT_EQ(request.query("c"), "3");
  EXPECT_EQ(request.query("bad"), std::nullopt);
  EXPECT_EQ(request.query("none"), std::nullopt);
  EXPECT_EQ(request.query_all("a"), (std::vector<std::string>{"1", "2"}));
}

TEST(Request, ReadsTypedQueryParameters) {
  const Request request = with_query("n=-12&x=1x&t=true&f=false&y=yes&e=");
  EXPECT_EQ(request.query_integer("n").value(), -12);
  EXPECT_EQ(request.query_integer("none").value(), std::nullopt);
  EXPECT_EQ(request.query_integer("x").error().reason, "invalid_param");
  EXPECT_FALSE(request.query_integer("e").ok());
  EXPECT_EQ(request.query_boolean("t").value(), true);
  EXPECT_EQ(request.query_boolean("f").value(), false);
  EXPECT_EQ(request.query_boolean("none").value(), std::nullopt);
  EXPECT_EQ(request.query_boolean("y").error().reason, "invalid_param");
}

TEST(Request, FindsTheAccessToken) {
  Request request = with_query("access_token=q%2Bt");
  EXPECT_EQ(request.access_token(), "q+t");
  request.headers = {{"authorization", "bEARER  secret"}};
  EXPECT_EQ(request.access_token(), "secret");
  request.headers = {{"authorization", "X-Matrix origin=a"}};
  EXPECT_EQ(request.access_token(), "q+t");
  EXPECT_EQ(Request{}.access_token(), "");
}

TEST(Request, ParsesTheBody) {
  Request request;
  EXPECT_EQ(request.json_body().error().reason, "not_json");
  EXPECT_TRUE(request.json_body(true).ok());
  request.body = R"({"a": 1})";
  EXPECT_EQ(request.json_body()->root().find_integer("a"), 1);
  request.body = "[]";
  EXPECT_FALSE(request.json_body().ok());
}

TEST(Response, IsBuiltInOneExpression) {
  const Response response = Response::text("image/png", "bytes").with_header("ETag", "1");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.content_type, "image/png");
  EXPECT_EQ(response.headers.at(0).value, "1");
  EXPECT_EQ(Response::empty_object().body, "{}");
  EXPECT_EQ(Response::error(not_found("", "none")).status, 404);
}

TEST(Names, OfSurfacesAndRateClasses) {
  EXPECT_EQ(to_string(Surface::federation), "federation");
  EXPECT_EQ(to_string(RateClass::registration), "registration");
}

}  // namespace
}  // namespace backplane::http
