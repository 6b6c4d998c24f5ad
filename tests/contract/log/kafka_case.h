// What tests of the log over Kafka share.
#pragma once

#include <gmock/gmock.h>

#include <map>
#include <string>
#include <vector>

#include "kafka_broker.h"
#include "kafka_world.h"
#include "process.h"

namespace backplane::log {

class Kafka : public ::testing::Test {
 protected:
  static std::string key(int i) { return "key" + std::to_string(i % 20); }
  /// In order within each key, none missing, none twice.
  static void expect_all(const std::vector<std::string>& effects, int count) {
    EXPECT_EQ(effects.size(), static_cast<std::size_t>(count));
    std::map<int, int> previous;
    for (const std::string& effect : effects) {
      const int i = std::stoi(effect), before = previous.contains(i % 20) ? previous[i % 20] : i % 20 - 20;
      EXPECT_EQ(i, before + 20);
      previous[i % 20] = i;
    }
  }
  static ConsumeOptions with_snapshot(Publisher& publisher) {
    ConsumeOptions options;
    options.snapshot = [&publisher](const Positions&) -> Result<SnapshotPage> {
      return SnapshotPage{{}, true, publisher.head()};
    };
    options.reset = [](storage::Write& write) { write.execute("DELETE FROM effects"); };
    return options;
  }
  static void renew_epoch(World& world) {
    Process restore(world);
    restore.publisher();
    restore.start();
    ASSERT_TRUE(restore.store("producer").write([](storage::Write& write) {
      write.execute("UPDATE bp_log SET epoch = ?", {"deadbeef"});
    }));
  }
  static std::int64_t snapshots(const Process& process) {
    return process.metrics.value("log_snapshots_total{events,group}");
  }

  KafkaWorld world_;
};

}  // namespace backplane::log
