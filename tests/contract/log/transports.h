// What the suite runs against. A transport joins it with a World and a line in transports.cc; the tests are the same.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "backplane/log/transport.h"
#include "backplane/testing/temporary_database.h"

namespace backplane::log {

/// Where the processes of one test live: databases in a folder, and what the transport keeps outside of a process (a
/// broker). Survives the processes.
class World {
 public:
  virtual ~World() = default;
  /// The transport of a process that begins.
  virtual std::unique_ptr<Transport> make_transport(Clock& clock) = 0;
  /// The database of that name: a SQLite file in the folder, or what a world has instead.
  virtual storage::DatabaseConfig database(const std::string& name);
  /// Time passes until what the transport itself keeps of a topic is too old for a group that is not enabled. Nobody
  /// uses the topic meanwhile.
  virtual void expire(const std::string& /*topic*/) {}
  const std::string& folder() const { return folder_.path(); }

  Duration disabled_group_retention = std::chrono::hours(7 * 24);

 private:
  testing::TemporaryFolder folder_;
};

struct TransportKind {
  const char* name;
  std::function<std::unique_ptr<World>()> make_world;
  /// Databases are files that a test may copy, and a consumer sees at once where its producer's log stands.
  bool restorable;
  /// Records go by way of something that other processes use, too: those of different lanes may come in another order,
  /// and that nobody publishes a topic cannot be told.
  bool spans_processes = false;
};
inline std::ostream& operator<<(std::ostream& out, const TransportKind& kind) { return out << kind.name; }

/// Every transport that this build has.
std::vector<TransportKind> transport_kinds();

class LogContract : public ::testing::TestWithParam<TransportKind> {
 protected:
  LogContract() : world_(GetParam().make_world()) {}
  std::unique_ptr<World> world_;
};

#define FOR_EVERY_TRANSPORT(suite)                                                   \
  INSTANTIATE_TEST_SUITE_P(transport, suite, ::testing::ValuesIn(transport_kinds()), \
                           [](const auto& test) { return std::string(test.param.name); })

}  // namespace backplane::log
