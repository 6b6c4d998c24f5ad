// The outbox where several hosts share the store: what it keeps for each lane that this one owns.
#include <algorithm>
#include <charconv>

#include "log/outbox.h"
#include "log/tables.h"

namespace backplane::log {

std::optional<std::uint16_t> Outbox::lane_of_group(std::string_view group) {
  const auto slash = group.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  std::uint16_t lane = 0;
  const char* const end = group.data() + group.size();
  const auto [stop, error] = std::from_chars(group.data() + slash + 1, end, lane);
  if (error != std::errc() || stop != end || lane >= lane_count) return std::nullopt;
  return lane;
}

void Outbox::load_lanes(storage::Session& session, Topic& topic, LaneSet lanes) {
  const auto rows = tables::list_lanes(session, topic.name);
  const std::lock_guard lock(mutex_);
  for (const tables::LaneRow& row : rows) {
    if (!lanes.test(row.lane)) continue;
    Lane& lane = (*topic.lanes)[row.lane];
    lane.trimmed = lane.trim_to = row.trimmed;
    lane.head = lane.floor = row.head;
  }
}

void Outbox::giving_back(storage::Session& session, std::span<const std::uint16_t>) {
  for (const auto& topic : topics_)
    if (topic->lanes != nullptr) write_groups(session, *topic);
}

void Outbox::left(std::span<const std::uint16_t> shards) {
  if (!sharded_) return;
  LaneSet lanes;
  for (const std::uint16_t shard : shards)
    if (shard < lane_count) lanes.set(shard);
  lanes_.fetch_and(~static_cast<std::uint32_t>(lanes.to_ulong()));
  {
    const std::lock_guard lock(mutex_);
    for (const auto& topic : topics_) {
      std::erase_if(topic->groups, [&](const GroupState& group) {
        const auto lane = lane_of_group(group.known.group);
        return lane && lanes.test(*lane);
      });
    }
  }
  notify();
}

Result<Batch> Outbox::read_lanes(const Topic& topic, const Positions& after, std::size_t limit) {
  struct Behind {
    std::uint16_t lane;
    std::uint64_t head;
  };
  Batch batch{{}, after};
  std::vector<Behind> behind;
  {
    const std::lock_guard lock(mutex_);
    LaneSet recent;
    each_lane(topic, [&](std::uint16_t number, const Lane& lane) {
      const std::uint64_t from = after.of(number), head = lane.head.load();
      if (from >= head) return;
      if (from >= std::max(lane.floor.load(), topic.ring.floor())) recent.set(number);
      else behind.push_back({number, head});
    });
    // Neither those that keep up wait for those that catch up, nor the other way round.
    const std::size_t share = behind.empty() ? limit : (limit + 1) / 2;
    if (recent.any() && topic.ring.read_lanes(recent, share, batch)) {
      each_lane(topic, [&](std::uint16_t number, const Lane& lane) {
        if (recent.test(number)) batch.after.advance({number, lane.head.load()});
      });
    }
  }
  if (behind.empty()) return batch;
  BACKPLANE_CHECK(store_->read([&](storage::Session& session) {
    for (const auto& [lane, head] : behind) {
      if (batch.records.size() >= limit) break;
      tables::read_lane(session, topic.name, lane, head, limit - batch.records.size(), batch);
    }
  }));
  return batch;
}

void Outbox::upkeep_lanes(storage::Session& session, Topic& topic) {
  each_lane(topic, [&](std::uint16_t number, Lane& lane) {
    const std::uint64_t wanted = std::min(lane.trim_to.load(), lane.head.load());
    if (wanted > lane.trimmed)
      lane.trimming = tables::trim_lane(session, topic.name, number, wanted, settings_.trim_rows);
  });
}

}  // namespace backplane::log
