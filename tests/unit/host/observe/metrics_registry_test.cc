#include "host/observe/metrics_registry.h"

#include <gtest/gtest.h>

#include "host/observe/process_metrics.h"

namespace backplane::host {
namespace {

using namespace std::chrono_literals;

TEST(MetricsRegistry, WritesPrometheusText) {
  MetricsRegistry registry;
  Metrics& rooms = registry.view("room_server");
  rooms.counter("events_total", "Events that were \\ accepted\nor not.", {{"result", "accepted"}, {"kind", "a\"b"}})
      .add(3);
  rooms.counter("events_total", "ignored", {{"kind", "a\"b"}, {"result", "rejected"}}).add();
  rooms.gauge("rooms", "Rooms in memory.").set(-2);
  registry.view("http").computed_gauge("queue", "Waiting.", {}, [] { return 7; });
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP backplane_http_queue Waiting.\n"
            "# TYPE backplane_http_queue gauge\n"
            "backplane_http_queue 7\n"
            "# HELP backplane_room_server_events_total Events that were \\\\ accepted\\nor not.\n"
            "# TYPE backplane_room_server_events_total counter\n"
            "backplane_room_server_events_total{kind=\"a\\\"b\",result=\"accepted\"} 3\n"
            "backplane_room_server_events_total{kind=\"a\\\"b\",result=\"rejected\"} 1\n"
            "# HELP backplane_room_server_rooms Rooms in memory.\n"
            "# TYPE backplane_room_server_rooms gauge\n"
            "backplane_room_server_rooms -2\n");
}

TEST(MetricsRegistry, WritesHistogramsInSeconds) {
  MetricsRegistry registry;
  Histogram& histogram = registry.view("p").histogram("wait_seconds", "How long.", {{"a", "b"}});
  histogram.observe(60us);
  histogram.observe(1ms);
  histogram.observe(11s);
  EXPECT_EQ(registry.prometheus_text(),
            "# HELP backplane_p_wait_seconds How long.\n"
            "# TYPE backplane_p_wait_seconds histogram\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.00005\"} 0\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.0001\"} 1\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.0002\"} 1\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.0005\"} 1\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.001\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.002\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.005\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.01\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.02\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.05\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.1\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.2\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"0.5\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"1\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"2\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"5\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"10\"} 2\n"
            "backplane_p_wait_seconds_bucket{a=\"b\",le=\"+Inf\"} 3\n"
            "backplane_p_wait_seconds_sum{a=\"b\"} 11.00106\n"
            "backplane_p_wait_seconds_count{a=\"b\"} 3\n");
}

TEST(MetricsRegistry, TheSameNameIsTheSameHandle) {
  MetricsRegistry registry;
  Metrics& view = registry.view("p");
  EXPECT_EQ(&view, &registry.view("p"));
  EXPECT_EQ(&view.counter("c", ""), &view.counter("c", ""));
  EXPECT_EQ(&view.counter("c", "", {{"a", "1"}, {"b", "2"}}), &view.counter("c", "", {{"b", "2"}, {"a", "1"}}));
  EXPECT_NE(&view.counter("c", ""), &registry.view("q").counter("c", ""));
  EXPECT_TRUE(registry.faults().empty());
}

TEST(MetricsRegistry, WrongRegistrationsWorkButAreFaults) {
  MetricsRegistry registry;
  Metrics& view = registry.view("p");
  view.counter("x", "");
  view.gauge("x", "").set(1);
  view.counter("a-b", "").add();
  view.counter("y", "", {{"é", "1"}}).add();
  EXPECT_EQ(registry.faults().size(), 3U);
  EXPECT_EQ(registry.faults().front(), "The metric backplane_p_x was registered with two kinds");
  EXPECT_EQ(registry.prometheus_text(), "# HELP backplane_p_x \n# TYPE backplane_p_x counter\nbackplane_p_x 0\n");
}

TEST(MetricsRegistry, ComputedGaugesCanBeForgotten) {
  MetricsRegistry registry;
  registry.view("p").computed_gauge("x", "X.", {}, []() -> std::int64_t { throw 1; });
  registry.forget_computed("p");
  EXPECT_EQ(registry.prometheus_text(), "# HELP backplane_p_x X.\n# TYPE backplane_p_x gauge\n");
}

TEST(ProcessFigures, AreThere) {
  const ProcessFigures figures = read_process_figures();
  EXPECT_GT(figures.resident_bytes, 1'000'000U);
  EXPECT_GE(figures.open_files, 3U);
  EXPECT_GE(figures.max_files, figures.open_files);
  EXPECT_GE(figures.threads, 1U);
  EXPECT_GT(figures.start_seconds, 1'600'000'000U);
  EXPECT_NE(process_metrics_text(figures).find("\nprocess_resident_memory_bytes "), std::string::npos);
}

}  // namespace
}  // namespace backplane::host
