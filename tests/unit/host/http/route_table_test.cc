#include "host/http/route_table.h"

#include <gtest/gtest.h>

namespace backplane::host {
namespace {

using http::Method;
using http::Surface;

class RouteTableTest : public ::testing::Test {
 protected:
  Result<void> add(Method method, std::string pattern, Surface surface = Surface::client, std::string plugin = "p") {
    auto route = std::make_unique<Route>();
    route->plugin = std::move(plugin);
    route->method = method;
    route->pattern = std::move(pattern);
    route->surface = surface;
    return table_.add(std::move(route));
  }
  RouteMatch find(std::string_view path, Method method = Method::get, Surfaces surfaces = Surfaces::all()) {
    auto match = table_.find(surfaces, method, path);
    EXPECT_TRUE(match) << path;
    return match ? *std::move(match) : RouteMatch{};
  }
  /// The pattern, and the parameters as name=value.
  std::string found(std::string_view path, Method method = Method::get) {
    const RouteMatch match = find(path, method);
    if (match.route == nullptr) return "-";
    std::string out = match.route->pattern;
    for (const auto& [name, value] : match.parameters) out.append(" ").append(name).append("=").append(value);
    return out;
  }
  RouteTable table_;
};

TEST_F(RouteTableTest, LiteralsWinOverParameters) {
  ASSERT_TRUE(add(Method::get, "/rooms/{id}/state"));
  ASSERT_TRUE(add(Method::get, "/rooms/all/state"));
  ASSERT_TRUE(add(Method::get, "/rooms/{id}"));
  ASSERT_TRUE(add(Method::get, "/rooms/all/{x}/y"));
  EXPECT_EQ(found("/rooms/all/state"), "/rooms/all/state");
  EXPECT_EQ(found("/rooms/al/state"), "/rooms/{id}/state id=al");
  EXPECT_EQ(found("/rooms/all"), "/rooms/{id} id=all");
  EXPECT_EQ(found("/rooms/all/state/y"), "/rooms/all/{x}/y x=state");
  EXPECT_EQ(found("/rooms"), "-");
  EXPECT_EQ(found("/rooms/a/b"), "-");
  EXPECT_EQ(found("rooms"), "-");
  EXPECT_EQ(found("*"), "-");
}

TEST_F(RouteTableTest, ABranchWithoutTheMethodIsLeftAgain) {
  ASSERT_TRUE(add(Method::put, "/keys/version"));
  ASSERT_TRUE(add(Method::get, "/keys/{id}"));
  EXPECT_EQ(found("/keys/version"), "/keys/{id} id=version");
  EXPECT_EQ(found("/keys/version", Method::put), "/keys/version");
  const RouteMatch wrong = find("/keys/version", Method::post);
  EXPECT_EQ(wrong.route, nullptr);
  EXPECT_EQ(wrong.allowed, (std::vector<Method>{Method::put, Method::get}));
}

TEST_F(RouteTableTest, DecodesAfterSplitting) {
  ASSERT_TRUE(add(Method::get, "/a/{x}/{y}"));
  ASSERT_TRUE(add(Method::get, "/lit/b c"));
  EXPECT_EQ(found("/a/%2F%2f/%25"), "/a/{x}/{y} x=// y=%");
  EXPECT_EQ(found("/a/+/b"), "/a/{x}/{y} x=+ y=b");
  EXPECT_EQ(found("/lit/b%20c"), "/lit/b c");
  EXPECT_FALSE(table_.find(Surfaces::all(), Method::get, "/a/%/b"));
  EXPECT_FALSE(table_.find(Surfaces::all(), Method::get, "/a/%ff/b"));
}

TEST_F(RouteTableTest, AlternativesAndTheRest) {
  ASSERT_TRUE(add(Method::get, "/_matrix/media/r0|v1|v3/download/{server}/{rest...}"));
  ASSERT_TRUE(add(Method::get, "/_matrix/media/v3/download/{server}/fixed"));
  const std::string pattern = "/_matrix/media/r0|v1|v3/download/{server}/{rest...}";
  EXPECT_EQ(found("/_matrix/media/r0/download/s/a/b%2Fc"), pattern + " server=s rest=a/b/c");
  EXPECT_EQ(found("/_matrix/media/v3/download/s/x"), pattern + " server=s rest=x");
  EXPECT_EQ(found("/_matrix/media/v3/download/s/fixed"), "/_matrix/media/v3/download/{server}/fixed server=s");
  EXPECT_EQ(found("/_matrix/media/v2/download/s/x"), "-");
  EXPECT_EQ(found("/_matrix/media/v3/download/s"), "-");
}

TEST_F(RouteTableTest, AnEmptyLastSegmentIsAValue) {
  ASSERT_TRUE(add(Method::get, "/state/{type}"));
  ASSERT_TRUE(add(Method::get, "/state/{type}/{key}"));
  ASSERT_TRUE(add(Method::get, "/pushrules/"));
  EXPECT_EQ(found("/state/m.room.name"), "/state/{type} type=m.room.name");
  EXPECT_EQ(found("/state/m.room.name/"), "/state/{type}/{key} type=m.room.name key=");
  EXPECT_EQ(found("/state//x"), "-");
  EXPECT_EQ(found("/pushrules/"), "/pushrules/");
  EXPECT_EQ(found("/pushrules"), "-");
}

TEST_F(RouteTableTest, HeadFallsBackToGet) {
  ASSERT_TRUE(add(Method::get, "/a"));
  ASSERT_TRUE(add(Method::post, "/b"));
  EXPECT_EQ(found("/a", Method::head), "/a");
  EXPECT_EQ(found("/b", Method::head), "-");
}

TEST_F(RouteTableTest, OtherSurfacesAreNotThere) {
  ASSERT_TRUE(add(Method::get, "/a", Surface::federation));
  EXPECT_EQ(find("/a", Method::get, {Surface::client}).route, nullptr);
  EXPECT_TRUE(find("/a", Method::post, {Surface::client}).allowed.empty());
  EXPECT_NE(find("/a", Method::get, {Surface::client, Surface::federation}).route, nullptr);
}

TEST_F(RouteTableTest, RefusesDuplicatesAndBadPatterns) {
  ASSERT_TRUE(add(Method::get, "/r0|v3/x/{a}", Surface::client, "first"));
  const auto twice = add(Method::get, "/v3/x/{b}", Surface::media, "second");
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error().reason, "duplicate_route");
  EXPECT_EQ(twice.error().text, "Plugins first and second both declare GET /v3/x/{b} (as /r0|v3/x/{a})");
  EXPECT_TRUE(add(Method::put, "/v3/x/{b}"));
  for (const char* pattern : {"a", "", "/{}", "/a{b}", "/{a...}/b", "/{...}"}) {
    const auto bad = add(Method::get, pattern);
    ASSERT_FALSE(bad) << pattern;
    EXPECT_EQ(bad.error().reason, "bad_pattern") << pattern;
  }
}

}  // namespace
}  // namespace backplane::host
