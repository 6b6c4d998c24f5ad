// What every verb of room_server works with. Made in wire(), complete from start() on; lives as long as the plugin.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <string>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/base/random.h"
#include "backplane/log/log.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/signing.h"
#include "backplane/storage/store.h"
#include "body_cache.h"
#include "input/transactions.h"
#include "lane/lanes.h"

namespace backplane::room_server {

class MissingEvents;
class RemoteMemberships;

/// Counters that verbs move.
struct Meters {
  Counter& events_accepted;
  Counter& rejected_by_auth_rules;
  Counter& rejected_as_invalid;
  Counter& repeated_transactions;
  Counter& chains_broken;
  Counter& purges_by_request;
  Counter& purges_by_lifetime;
  Counter& events_purged;
};

struct Environment {
  const ServerName server_name;
  Clock& clock;
  Random& random;
  const Logger logger;
  storage::Store& store;
  log::Publisher& publisher;
  Lanes& lanes;
  BodyCache& bodies;
  Transactions& transactions;
  Meters meters;
  std::string default_room_version;
  Duration transaction_lifetime{};
  std::optional<matrix::SigningKey> signing_key = {};  ///< set in start()
  MissingEvents* missing_events = nullptr;             ///< set in wire()
  RemoteMemberships* remote_memberships = nullptr;     ///< likewise
  std::atomic<std::int64_t> last_creation_ms{0};       ///< no two rooms are made in the same millisecond
};

}  // namespace backplane::room_server
