// The tables of a log that several processes write, each some of its lanes. PostgreSQL only, but for what reads.
#include <algorithm>
#include <memory>
#include <utility>

#include "log/tables.h"

namespace backplane::log::tables {

void share(Session& session, const std::vector<std::string>& topics, std::uint64_t counter) {
  // Asked first: making an index waits for those who write, also when it is there.
  if (session.find<std::int64_t>("SELECT CASE WHEN to_regclass('bp_outbox_lanes') IS NULL THEN 0 ELSE 1 END") == 0)
    session.execute("CREATE INDEX bp_outbox_lanes ON bp_outbox (topic, lane, sequence)");
  session.execute("CREATE SEQUENCE IF NOT EXISTS bp_sequence INCREMENT BY " + std::to_string(block_size));
  // One writer may have counted further meanwhile.
  if (session.find<std::uint64_t>("SELECT last_value FROM bp_sequence").value() <= counter)
    session.find<std::uint64_t>("SELECT setval('bp_sequence', ?, false)", {counter + 1});
  for (const std::string& topic : topics) {
    // What one writer's heads have promised holds in every lane, also where the lane's last record is older. Over all
    // topics that is the counter.
    const std::uint64_t promised = std::max(head(session, topic), counter), gone = trimmed(session, topic);
    for (std::uint16_t lane = 0; lane < lane_count; ++lane) {
      session.execute(
          "INSERT INTO bp_lanes (topic, lane, trimmed, head) VALUES (?, ?, ?, ?) ON CONFLICT (topic, lane) DO NOTHING",
          {topic, lane, gone, promised});
    }
  }
}

std::uint64_t unshare(Session& session, const std::vector<std::string>& topics, std::uint64_t counter) {
  if (!session.find<std::int64_t>("SELECT 1 FROM bp_lanes LIMIT 1")) return counter;
  for (const std::string& topic : topics) {
    const auto gone =
        session.find<std::uint64_t>("SELECT COALESCE(MAX(trimmed), 0) FROM bp_lanes WHERE topic = ?", {topic});
    session.execute(
        "INSERT INTO bp_topics (topic, trimmed) VALUES (?, ?) ON CONFLICT (topic) DO UPDATE SET trimmed = "
        "excluded.trimmed",
        {topic, std::max(gone.value_or(0), trimmed(session, topic))});
  }
  session.execute("DELETE FROM bp_lanes");
  const std::uint64_t drawn = session.find<std::uint64_t>("SELECT last_value FROM bp_sequence").value();
  counter = std::max(counter, drawn + block_size);
  update_counter(session, counter);
  return counter;
}

std::uint64_t draw_block(Session& session) {
  return session.find<std::uint64_t>("SELECT nextval('bp_sequence')").value();
}

std::vector<LaneRow> list_lanes(Session& session, std::string_view topic) {
  std::vector<LaneRow> rows;
  session.each<std::uint16_t, std::uint64_t, std::uint64_t, std::optional<std::uint64_t>>(
      "SELECT l.lane, l.trimmed, l.head, (SELECT o.sequence FROM bp_outbox o WHERE o.topic = l.topic "
      "AND o.lane = l.lane ORDER BY o.sequence DESC LIMIT 1) FROM bp_lanes l WHERE l.topic = ?",
      {topic}, [&](std::uint16_t lane, std::uint64_t trimmed, std::uint64_t head, std::optional<std::uint64_t> last) {
        rows.push_back({lane, trimmed, std::max({trimmed, head, last.value_or(0)})});
      });
  return rows;
}

Positions heads(Session& session, std::string_view topic) {
  const auto lanes = list_lanes(session, topic);
  if (lanes.empty()) return Positions(head(session, topic));
  std::uint64_t base = lanes.size() < lane_count ? 0 : UINT64_MAX;
  for (const LaneRow& lane : lanes) base = std::min(base, lane.head);
  Positions heads(base);
  for (const LaneRow& lane : lanes) heads.advance({lane.lane, lane.head});
  return heads;
}

void read_lane(Session& session, std::string_view topic, std::uint16_t lane, std::uint64_t up_to, std::size_t limit,
               Batch& batch) {
  std::size_t rows = 0;
  session.each<std::uint64_t, std::string, std::string, std::int64_t>(
      "SELECT sequence, key, payload, written_ms FROM bp_outbox WHERE topic = ? AND lane = ? AND sequence > ? "
      "AND sequence <= ? ORDER BY sequence LIMIT ?",
      {topic, lane, batch.after.of(lane), up_to, limit},
      [&](std::uint64_t sequence, std::string key, std::string payload, std::int64_t written_ms) {
        ++rows;
        const Position position{lane, sequence};
        batch.after.advance(position);
        batch.records.push_back(std::make_shared<const Record>(
            Record{std::string(topic), position, std::move(key), std::move(payload), written_ms, 0}));
      });
  if (rows < limit) batch.after.advance({lane, up_to});
}

std::uint64_t trim_lane(Session& session, std::string_view topic, std::uint16_t lane, std::uint64_t up_to,
                        std::size_t rows) {
  const auto last = session.find<std::uint64_t>(
      "SELECT sequence FROM bp_outbox WHERE topic = ? AND lane = ? AND sequence <= ? ORDER BY sequence "
      "LIMIT 1 OFFSET ?",
      {topic, lane, up_to, rows});
  const std::uint64_t reached = last.value_or(up_to);
  session.execute("DELETE FROM bp_outbox WHERE topic = ? AND lane = ? AND sequence <= ?", {topic, lane, reached});
  session.execute("UPDATE bp_lanes SET trimmed = ? WHERE topic = ? AND lane = ?", {reached, topic, lane});
  return reached;
}

}  // namespace backplane::log::tables
