// The PostgreSQL server of a test program, which all its tests share: it takes a second to start.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "backplane/testing/postgresql_server.h"

namespace backplane {

/// Started when it is first asked for, stopped at the end of the program's tests.
inline testing::PostgresqlServer& postgresql_server() {
  static std::unique_ptr<testing::PostgresqlServer> server;
  struct Stop : ::testing::Environment {
    void TearDown() override { server.reset(); }
  };
  if (server == nullptr) {
    server = std::make_unique<testing::PostgresqlServer>();
    ::testing::AddGlobalTestEnvironment(new Stop);
  }
  return *server;
}

}  // namespace backplane
