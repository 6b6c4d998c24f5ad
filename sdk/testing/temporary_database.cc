#include "backplane/testing/temporary_database.h"

#include <stdlib.h>

#include <atomic>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "backplane/testing/postgresql_server.h"

namespace backplane::testing {
namespace {

class Silence final : public LogSink {
 public:
  void write(LogLevel, std::string_view, std::string_view, const LogField*, std::size_t) override {}
};

}  // namespace

TemporaryFolder::TemporaryFolder()
    : path_((std::filesystem::temp_directory_path() / "backplane_test_XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) throw std::runtime_error("cannot make a temporary folder: " + path_);
}
TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

Logger quiet_logger() {
  static Silence silence;
  static const std::atomic<LogLevel> level{LogLevel::off};
  return {silence, level, "test"};
}

TemporaryDatabase::TemporaryDatabase() {
  config.path = folder_.path() + "/database.sqlite";
  config.synchronous = storage::Synchronous::off;
}

TemporaryDatabase::TemporaryDatabase(const PostgresqlServer& server) {
  config.engine = storage::Engine::postgresql;
  config.connection = server.connection();
  config.schema = folder_.path().substr(folder_.path().rfind('/') + 1);  // as unique as the folder
  config.synchronous = storage::Synchronous::off;
}

Result<std::unique_ptr<storage::Store>> TemporaryDatabase::try_open(std::span<const storage::Migration> migrations,
                                                                    storage::CommitHook* hook, Metrics* metrics) {
  return storage::open_store(config, "test", migrations, system_clock(), metrics, quiet_logger(), hook);
}

std::unique_ptr<storage::Store> TemporaryDatabase::open(std::span<const storage::Migration> migrations,
                                                        storage::CommitHook* hook, Metrics* metrics) {
  auto store = try_open(migrations, hook, metrics);
  if (!store) throw std::runtime_error(store.error().text);
  return std::move(*store);
}

}  // namespace backplane::testing
