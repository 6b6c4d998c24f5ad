// PostgreSQL's advisory locks of a session: they are held until they are given back or the session ends, however it
// ends, and so say who may write a store. A lock's name is hashed with the schema's to its number.
//
// Functions run on a session of PostgreSQL and throw storage::Failure like any statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/storage/session.h"

namespace backplane::storage {

class AdvisoryLock {
 public:
  AdvisoryLock(std::string_view schema, std::string_view name);

  enum class Mode : std::uint8_t { exclusive, shared };
  /// Does not wait; false when another session has it.
  bool try_take(Session& session, Mode mode = Mode::exclusive) const;
  void give_back(Session& session) const;

  /// A session that has the lock.
  struct Holder {
    std::int64_t pid = 0;
    std::string application;  ///< as it calls itself
    std::string address;      ///< empty: through a socket of the same machine
  };
  std::optional<Holder> find_holder(Session& session) const;
  /// Ends the session of that process if it has the lock. It is gone some moments later.
  void end_holder(Session& session, std::int64_t pid) const;

 private:
  const std::int64_t number_;
};

}  // namespace backplane::storage
