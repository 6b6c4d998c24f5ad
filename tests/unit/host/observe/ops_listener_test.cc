#include "host/observe/ops_listener.h"

#include <gtest/gtest.h>

#include <stdexcept>

#include "unit/host/http/http_client.h"
#include "unit/host/test_parts.h"

namespace backplane::host::test {
namespace {

class OpsListenerTest : public ::testing::Test {
 protected:
  OpsListenerTest()
      : ops_(
            {"127.0.0.1", 0, 2}, metrics_, [this] { return missing_; }, log_.logger("operations")) {
    metrics_.view("p").counter("c", "C.").add();
    ops_.add_page("/bad", []() -> OpsPage { throw std::runtime_error("x"); });
    EXPECT_TRUE(ops_.start());
  }
  Answer get(const std::string& path) { return TestClient(ops_.port()).get(path); }

  MetricsRegistry metrics_;
  RecordingSink log_;
  std::vector<std::string> missing_;
  OpsListener ops_;
};

TEST_F(OpsListenerTest, SaysWhetherItLivesAndIsReady) {
  EXPECT_EQ(get("/health/live").status, 200);
  EXPECT_EQ(get("/health/ready?x").body, R"({"ready":true,"missing":[]})");
  missing_ = {"room_server: not started"};
  const Answer answer = get("/health/ready");
  EXPECT_EQ(answer.status, 503);
  EXPECT_EQ(answer.headers.at("content-type"), "application/json");
  EXPECT_EQ(answer.body, R"({"ready":false,"missing":["room_server: not started"]})");
}

TEST_F(OpsListenerTest, ShowsMetrics) {
  const Answer answer = get("/metrics");
  EXPECT_EQ(answer.headers.at("content-type"), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_NE(answer.body.find("\nbackplane_p_c 1\n"), std::string::npos);
  EXPECT_NE(answer.body.find("\nprocess_open_fds "), std::string::npos);
}

TEST_F(OpsListenerTest, OtherRequestsAreRefused) {
  EXPECT_EQ(get("/").status, 404);
  EXPECT_EQ(get("/bad").status, 500);
  TestClient client(ops_.port());
  EXPECT_EQ(client.request("POST", "/metrics", "x").status, 405);
  TestClient head(ops_.port());
  EXPECT_EQ(head.request("HEAD", "/health/live", "").status, 200);
}

TEST_F(OpsListenerTest, APortInUseIsNamed) {
  OpsListener second({"127.0.0.1", ops_.port(), 2}, metrics_, nullptr, log_.logger("operations"));
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_NE(started.error().text.find("127.0.0.1:" + std::to_string(ops_.port())), std::string::npos);
  EXPECT_NE(started.error().text.find("operations.port"), std::string::npos);
}

}  // namespace
}  // namespace backplane::host::test
