// A PostgreSQL server of a test program's own, in a temporary folder, reached through a socket there (so no two of
// them meet on a port). Takes a second or two to start: one a program. It ends with the object, or with the program
// however that ends. Run by root it changes to the user `postgres`, as the server refuses to be root.
//
// One thread.
#pragma once

#include <sys/types.h>

#include <string>

#include "backplane/base/export.h"
#include "backplane/testing/temporary_database.h"

namespace backplane::testing {

class BACKPLANE_API PostgresqlServer {
 public:
  /// `programs`: where initdb and postgres are. Throws std::runtime_error with what the server said.
  explicit PostgresqlServer(const std::string& programs = "/usr/lib/postgresql/15/bin");
  ~PostgresqlServer();
  PostgresqlServer(const PostgresqlServer&) = delete;
  PostgresqlServer& operator=(const PostgresqlServer&) = delete;

  /// As libpq takes it.
  const std::string& connection() const { return connection_; }
  /// Ends every connection, as a crash or a failover does.
  void restart();
  /// Away, and there again.
  void stop();
  void start();
  /// Kills it (-9); start() follows.
  void kill();

 private:
  TemporaryFolder folder_;
  std::string programs_;
  std::string connection_;
  pid_t process_ = -1;
};

}  // namespace backplane::testing
