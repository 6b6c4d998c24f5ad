#include "log/tables.h"

#include <algorithm>
#include <memory>

namespace backplane::log::tables {

// The statements are the same for SQLite and PostgreSQL. `bp_outbox` has no primary key on purpose: on SQLite rows
// are then appended to a table in which a record of a few KB needs no overflow page, and one narrow index orders them.
void create_for_producer(Session& session) {
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_log (epoch TEXT NOT NULL, counter BIGINT NOT NULL, lanes BIGINT NOT NULL)");
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_outbox (topic TEXT NOT NULL, sequence BIGINT NOT NULL, lane BIGINT NOT NULL, "
      "key TEXT NOT NULL, payload TEXT NOT NULL, written_ms BIGINT NOT NULL)");
  session.execute("CREATE UNIQUE INDEX IF NOT EXISTS bp_outbox_order ON bp_outbox (topic, sequence)");
  session.execute("CREATE TABLE IF NOT EXISTS bp_topics (topic TEXT NOT NULL PRIMARY KEY, trimmed BIGINT NOT NULL)");
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_lanes (topic TEXT NOT NULL, lane BIGINT NOT NULL, trimmed BIGINT NOT NULL, "
      "head BIGINT NOT NULL, PRIMARY KEY (topic, lane))");
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_groups (topic TEXT NOT NULL, grp TEXT NOT NULL, positions TEXT NOT NULL, "
      "seen_ms BIGINT NOT NULL, PRIMARY KEY (topic, grp))");
}

void create_for_consumer(Session& session) {
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_positions (topic TEXT NOT NULL, grp TEXT NOT NULL, epoch TEXT NOT NULL, "
      "positions TEXT NOT NULL, PRIMARY KEY (topic, grp))");
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_snapshots (topic TEXT NOT NULL, grp TEXT NOT NULL, begun BIGINT NOT NULL, "
      "PRIMARY KEY (topic, grp))");
  session.execute(
      "CREATE TABLE IF NOT EXISTS bp_parked (topic TEXT NOT NULL, grp TEXT NOT NULL, key TEXT NOT NULL, "
      "lane BIGINT NOT NULL, sequence BIGINT NOT NULL, payload TEXT NOT NULL, error TEXT NOT NULL, "
      "parked_ms BIGINT NOT NULL)");
  session.execute("CREATE INDEX IF NOT EXISTS bp_parked_order ON bp_parked (topic, grp, sequence)");
}

std::optional<LogRow> find_log(Session& session) {
  const auto row = session.find<std::string, std::uint64_t, std::uint16_t>("SELECT epoch, counter, lanes FROM bp_log");
  if (!row) return std::nullopt;
  return LogRow{std::get<0>(*row), std::get<1>(*row), std::get<2>(*row)};
}

void insert_log(Session& session, const LogRow& row) {
  session.execute("INSERT INTO bp_log (epoch, counter, lanes) VALUES (?, ?, ?)", {row.epoch, row.counter, row.lanes});
}

void update_epoch(Session& session, std::string_view epoch) { session.execute("UPDATE bp_log SET epoch = ?", {epoch}); }

void update_counter(Session& session, std::uint64_t counter) {
  session.execute("UPDATE bp_log SET counter = ?", {counter});
}

std::uint64_t last_sequence(Session& session, std::string_view topic) {
  return session
      .find<std::uint64_t>("SELECT sequence FROM bp_outbox WHERE topic = ? ORDER BY sequence DESC LIMIT 1", {topic})
      .value_or(0);
}

std::uint64_t head(Session& session, std::string_view topic) {
  // Whatever was trimmed had been committed: when the last record's row is gone, `trimmed` is its number.
  return std::max(trimmed(session, topic), last_sequence(session, topic));
}

Records::Records()
    : rows_("INSERT INTO bp_outbox (topic, sequence, lane, key, payload, written_ms) VALUES (?, ?, ?, ?, ?, ?)") {}

void Records::add(const Record& record) {
  rows_.add(
      {record.topic, record.position.sequence, record.position.lane, record.key, record.payload, record.written_ms});
}

Batch read(Session& session, std::string_view topic, const Positions& after, std::uint64_t up_to, std::size_t limit) {
  Batch batch{{}, after};
  std::size_t rows = 0;
  session.each<std::uint64_t, std::uint16_t, std::string, std::string, std::int64_t>(
      "SELECT sequence, lane, key, payload, written_ms FROM bp_outbox WHERE topic = ? AND sequence > ? "
      "AND sequence <= ? ORDER BY sequence LIMIT ?",
      {topic, after.base(), up_to, limit},
      [&](std::uint64_t sequence, std::uint16_t lane, std::string key, std::string payload, std::int64_t written_ms) {
        ++rows;
        batch.after.advance_all(sequence);
        if (after.covers(Position{lane, sequence})) return;
        batch.records.push_back(std::make_shared<const Record>(
            Record{std::string(topic), {lane, sequence}, std::move(key), std::move(payload), written_ms, 0}));
      });
  if (rows < limit) batch.after.advance_all(up_to);
  return batch;
}

std::uint64_t trimmed(Session& session, std::string_view topic) {
  return session.find<std::uint64_t>("SELECT trimmed FROM bp_topics WHERE topic = ?", {topic}).value_or(0);
}

std::uint64_t trim(Session& session, std::string_view topic, std::uint64_t up_to, std::size_t rows) {
  const auto last = session.find<std::uint64_t>(
      "SELECT sequence FROM bp_outbox WHERE topic = ? AND sequence <= ? ORDER BY sequence LIMIT 1 OFFSET ?",
      {topic, up_to, rows});
  const std::uint64_t reached = last.value_or(up_to);
  session.execute("DELETE FROM bp_outbox WHERE topic = ? AND sequence <= ?", {topic, reached});
  session.execute(
      "INSERT INTO bp_topics (topic, trimmed) VALUES (?, ?) ON CONFLICT (topic) DO UPDATE SET trimmed = "
      "excluded.trimmed",
      {topic, reached});
  return reached;
}

std::vector<KnownGroup> list_groups(Session& session, std::string_view topic) {
  std::vector<KnownGroup> groups;
  session.each<std::string, std::string, std::int64_t>(
      "SELECT grp, positions, seen_ms FROM bp_groups WHERE topic = ?", {topic},
      [&](std::string group, const std::string& positions, std::int64_t seen_ms) {
        groups.push_back({std::move(group), Positions::decode(positions).value_or(Positions()), seen_ms});
      });
  return groups;
}

void upsert_group(Session& session, std::string_view topic, const KnownGroup& group) {
  session.execute(
      "INSERT INTO bp_groups (topic, grp, positions, seen_ms) VALUES (?, ?, ?, ?) ON CONFLICT (topic, grp) "
      "DO UPDATE SET positions = excluded.positions, seen_ms = excluded.seen_ms",
      {topic, group.group, group.position.encode(), group.seen_ms});
}

void delete_group(Session& session, std::string_view topic, std::string_view group) {
  session.execute("DELETE FROM bp_groups WHERE topic = ? AND grp = ?", {topic, group});
}

std::optional<StoredPosition> find_position(Session& session, const Subscription& who) {
  const auto row = session.find<std::string, std::string>(
      "SELECT epoch, positions FROM bp_positions WHERE topic = ? AND grp = ?", {who.topic, who.group});
  if (!row) return std::nullopt;
  return StoredPosition{std::get<0>(*row), std::get<1>(*row)};
}

void insert_position(Session& session, const Subscription& who, const StoredPosition& position) {
  session.execute("INSERT INTO bp_positions (topic, grp, epoch, positions) VALUES (?, ?, ?, ?)",
                  {who.topic, who.group, position.epoch, position.positions});
}

bool replace_position(Session& session, const Subscription& who, const StoredPosition& from, const StoredPosition& to) {
  return session.execute(
             "UPDATE bp_positions SET epoch = ?, positions = ? WHERE topic = ? AND grp = ? AND epoch = ? "
             "AND positions = ?",
             {to.epoch, to.positions, who.topic, who.group, from.epoch, from.positions}) == 1;
}

void delete_position(Session& session, const Subscription& who) {
  session.execute("DELETE FROM bp_positions WHERE topic = ? AND grp = ?", {who.topic, who.group});
}

std::int64_t count_snapshots(Session& session, const Subscription& who) {
  return session
      .find<std::int64_t>("SELECT begun FROM bp_snapshots WHERE topic = ? AND grp = ?", {who.topic, who.group})
      .value_or(0);
}

std::int64_t add_snapshot(Session& session, const Subscription& who) {
  session.execute(
      "INSERT INTO bp_snapshots (topic, grp, begun) VALUES (?, ?, 1) ON CONFLICT (topic, grp) "
      "DO UPDATE SET begun = bp_snapshots.begun + 1",
      {who.topic, who.group});
  return count_snapshots(session, who);
}

void insert_parked(Session& session, const Subscription& who, const Record& record, std::string_view error,
                   std::int64_t parked_ms) {
  session.execute(
      "INSERT INTO bp_parked (topic, grp, key, lane, sequence, payload, error, parked_ms) "
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
      {who.topic, who.group, record.key, record.position.lane, record.position.sequence, record.payload, error,
       parked_ms});
}

std::vector<ParkedRecord> list_parked(Session& session, const Subscription& who, std::size_t limit) {
  std::vector<ParkedRecord> parked;
  session.each<std::string, std::uint16_t, std::uint64_t, std::string, std::string, std::int64_t>(
      "SELECT key, lane, sequence, payload, error, parked_ms FROM bp_parked WHERE topic = ? AND grp = ? "
      "ORDER BY sequence LIMIT ?",
      {who.topic, who.group, limit},
      [&](std::string key, std::uint16_t lane, std::uint64_t sequence, std::string payload, std::string error,
          std::int64_t parked_ms) {
        Record record{who.topic, {lane, sequence}, std::move(key), std::move(payload), 0, 0};
        parked.push_back({std::move(record), std::move(error), parked_ms});
      });
  return parked;
}

std::vector<std::string> list_parked_keys(Session& session, const Subscription& who) {
  return session.list<std::string>("SELECT DISTINCT key FROM bp_parked WHERE topic = ? AND grp = ?",
                                   {who.topic, who.group});
}

std::int64_t count_parked(Session& session, const Subscription& who) {
  return session
      .find<std::int64_t>("SELECT count(*) FROM bp_parked WHERE topic = ? AND grp = ?", {who.topic, who.group})
      .value_or(0);
}

void delete_parked(Session& session, const Subscription& who) {
  session.execute("DELETE FROM bp_parked WHERE topic = ? AND grp = ?", {who.topic, who.group});
}

}  // namespace backplane::log::tables
