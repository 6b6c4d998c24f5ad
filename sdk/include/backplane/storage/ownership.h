// Which shards of a store this process may change, when several hosts share its schema on PostgreSQL. A shard is a lane
// of the store's logs with all the rows that are told of in it; who owns it alone writes it. Ownership is a lock that
// the writer's session holds: it ends with the session, so a host that was paused or cut off cannot write what another
// has taken over.
//
// A store that belongs to one process owns all its shards from the start. Any thread.
#pragma once

#include <cstdint>
#include <string>

#include "backplane/base/export.h"
#include "backplane/base/result.h"

namespace backplane::storage {

/// How the hosts that run a plugin share its store.
enum class Sharing : std::uint8_t {
  exclusive,  ///< one host at a time: a second one waits, or does not start
  led,        ///< every host may write ordinary rows; one of them, the leader, runs the consume subscriptions
  sharded,    ///< as led, and each host publishes in the lanes that it owns
};

/// The shard whose owner leads; those before it are the lanes of the store's logs.
inline constexpr std::uint16_t leader_shard = 16;

class BACKPLANE_API Ownership {
 public:
  virtual ~Ownership();
  /// A number that differs each time the shard comes to this process; 0 while it is another's. What is kept in memory
  /// of a shard is of no use when this has changed.
  virtual std::uint64_t generation(std::uint16_t shard) const = 0;
  /// The host that owns the shard, as far as it is known here; empty: unknown, or there is one host only.
  virtual std::string owner(std::uint16_t shard) const = 0;
  /// Whether this process runs the store's consume subscriptions.
  virtual bool leads() const = 0;
  /// Whether other hosts may own what this one does not.
  virtual bool shared() const { return false; }
  bool owns(std::uint16_t shard) const { return generation(shard) != 0; }
};

/// Of a store that belongs to one process.
BACKPLANE_API const Ownership& sole_ownership();

/// What is answered for a shard of another host, which is named in the field `owner` when it is known: nothing was
/// done, so the caller may go on to that host.
BACKPLANE_API Error not_owner(const Ownership& ownership, std::uint16_t shard);

}  // namespace backplane::storage
