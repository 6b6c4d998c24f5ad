#include "transports.h"

#include <unistd.h>

#include "in_process_transport.h"
#include "kafka_world.h"
#include "support/shared_postgresql.h"

namespace backplane::log {
namespace {

class InProcessWorld : public World {
 public:
  std::unique_ptr<Transport> make_transport(Clock& clock) override {
    return std::make_unique<log_in_process::InProcessTransport>(
        clock, testing::quiet_logger(), log_in_process::InProcessSettings{512, disabled_group_retention});
  }
};

/// The same on PostgreSQL, a schema for each store.
class InProcessOnPostgresql final : public InProcessWorld {
 public:
  explicit InProcessOnPostgresql(const std::string& connection) : connection_(connection) {}
  storage::DatabaseConfig database(const std::string& name) override {
    storage::DatabaseConfig config = World::database(name);
    config.engine = storage::Engine::postgresql;
    config.connection = connection_;
    config.schema = folder().substr(folder().rfind('/') + 1) + "_" + name;
    return config;
  }

 private:
  const std::string connection_;
};

}  // namespace

std::vector<TransportKind> transport_kinds() {
  std::vector<TransportKind> kinds{{"in_process", [] { return std::make_unique<InProcessWorld>(); }, true}};
  if (access("/usr/lib/postgresql/15/bin/initdb", X_OK) == 0) {
    kinds.push_back({"in_process_on_postgresql",
                     [] { return std::make_unique<InProcessOnPostgresql>(postgresql_server().connection()); }, false});
  }
  kinds.push_back({"kafka", [] { return std::make_unique<KafkaWorld>(); }, false, true});
  return kinds;
}

}  // namespace backplane::log
