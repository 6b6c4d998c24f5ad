// Runs each test of a suite against every engine: StoreContract is the fixture, GetParam() the engine.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "backplane/testing/temporary_database.h"
#include "support/shared_postgresql.h"

namespace backplane::storage {

class StoreContract : public ::testing::TestWithParam<Engine> {
 protected:
  StoreContract()
      : database_(GetParam() == Engine::sqlite ? std::make_unique<testing::TemporaryDatabase>()
                                               : std::make_unique<testing::TemporaryDatabase>(postgresql_server())) {}
  bool sqlite() const { return GetParam() == Engine::sqlite; }

  std::unique_ptr<testing::TemporaryDatabase> database_;
};

inline std::string engine_name(const ::testing::TestParamInfo<Engine>&) { return "store"; }

#define FOR_EVERY_ENGINE(suite)                                                            \
  INSTANTIATE_TEST_SUITE_P(sqlite, suite, ::testing::Values(Engine::sqlite), engine_name); \
  INSTANTIATE_TEST_SUITE_P(postgresql, suite, ::testing::Values(Engine::postgresql), engine_name)

}  // namespace backplane::storage
