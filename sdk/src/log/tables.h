// The SDK's own tables in a plugin's store: what a producer keeps of its log (bp_log, bp_outbox, bp_topics, bp_groups)
// and what a consumer keeps of the logs that it follows (bp_positions, bp_parked). Every statement of the log layer is
// in tables.cc. Functions run inside the store's work and throw storage::Failure like any statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backplane/log/log.h"
#include "backplane/log/transport.h"
#include "backplane/storage/rows.h"
#include "backplane/storage/session.h"

namespace backplane::log::tables {

using storage::Session;

void create_for_producer(Session& session);
void create_for_consumer(Session& session);

/// The one row that says what log this is. The counter is the last number that was given to a committed record.
struct LogRow {
  std::string epoch;
  std::uint64_t counter = 0;
  std::uint16_t lanes = 0;
};
std::optional<LogRow> find_log(Session& session);
void insert_log(Session& session, const LogRow& row);
void update_epoch(Session& session, std::string_view epoch);
void update_counter(Session& session, std::uint64_t counter);

/// The last record of a topic that is still there; 0 when none is.
std::uint64_t last_sequence(Session& session, std::string_view topic);
/// What was ever committed of a topic lies at or below this.
std::uint64_t head(Session& session, std::string_view topic);
/// What a record of the topic needs to have of texts is checked before: this is part of the commit of others, too.
class Records {
 public:
  Records();
  void add(const Record& record);  ///< which lives until they are inserted
  void insert(Session& session) { rows_.insert(session); }

 private:
  storage::Rows rows_;
};
/// Reads on after some positions, oldest first, `limit` rows at most and none above `up_to`.
Batch read(Session& session, std::string_view topic, const Positions& after, std::uint64_t up_to, std::size_t limit);
std::uint64_t trimmed(Session& session, std::string_view topic);
/// Deletes the oldest records of a topic, none above `up_to` and about `rows` at most; answers how far it came.
std::uint64_t trim(Session& session, std::string_view topic, std::uint64_t up_to, std::size_t rows);

// Where several processes share the store (PostgreSQL): numbers come from a sequence, in blocks, and each lane has its
// own row for what was trimmed.
inline constexpr std::uint64_t block_size = 1000;
/// What is committed of a lane, and what of that may be gone.
struct LaneRow {
  std::uint16_t lane = 0;
  std::uint64_t trimmed = 0;
  std::uint64_t head = 0;
};
/// Goes over to lanes with rows of their own, as far as that was not done before.
void share(Session& session, const std::vector<std::string>& topics, std::uint64_t counter);
/// Goes back to one writer's counter; answers it.
std::uint64_t unshare(Session& session, const std::vector<std::string>& topics, std::uint64_t counter);
/// The first of a block of numbers that nobody else gets, above all that were given before.
std::uint64_t draw_block(Session& session);
/// What was ever committed of a topic lies at or below this, in each lane where lanes have rows of their own.
Positions heads(Session& session, std::string_view topic);
std::vector<LaneRow> list_lanes(Session& session, std::string_view topic);
/// As read(), of one lane, appended.
void read_lane(Session& session, std::string_view topic, std::uint16_t lane, std::uint64_t up_to, std::size_t limit,
               Batch& batch);
/// As trim(), of one lane.
std::uint64_t trim_lane(Session& session, std::string_view topic, std::uint16_t lane, std::uint64_t up_to,
                        std::size_t rows);

std::vector<KnownGroup> list_groups(Session& session, std::string_view topic);
void upsert_group(Session& session, std::string_view topic, const KnownGroup& group);
void delete_group(Session& session, std::string_view topic, std::string_view group);

/// Whose position: a group's in a topic.
struct Subscription {
  std::string topic;
  std::string group;
};
struct StoredPosition {
  std::string epoch;
  std::string positions;  ///< encoded
};
std::optional<StoredPosition> find_position(Session& session, const Subscription& who);
void insert_position(Session& session, const Subscription& who, const StoredPosition& position);
/// False when the row is not what the caller thinks.
bool replace_position(Session& session, const Subscription& who, const StoredPosition& from, const StoredPosition& to);
void delete_position(Session& session, const Subscription& who);
/// How many snapshots were begun for a group: who follows what another process leads sees by it that all is anew.
std::int64_t count_snapshots(Session& session, const Subscription& who);
/// One more; answers how many.
std::int64_t add_snapshot(Session& session, const Subscription& who);

void insert_parked(Session& session, const Subscription& who, const Record& record, std::string_view error,
                   std::int64_t parked_ms);
std::vector<ParkedRecord> list_parked(Session& session, const Subscription& who, std::size_t limit);
std::vector<std::string> list_parked_keys(Session& session, const Subscription& who);
std::int64_t count_parked(Session& session, const Subscription& who);
void delete_parked(Session& session, const Subscription& who);

}  // namespace backplane::log::tables
