#include "transports.h"

namespace backplane::log {

storage::DatabaseConfig World::database(const std::string& name) {
  storage::DatabaseConfig config;
  config.path = folder() + "/" + name + ".sqlite";
  config.synchronous = storage::Synchronous::off;
  return config;
}

}  // namespace backplane::log
