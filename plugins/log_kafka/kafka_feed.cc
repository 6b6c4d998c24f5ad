#include "kafka_feed.h"

#include <algorithm>
#include <utility>

namespace backplane::log_kafka {
namespace {

constexpr Duration pause_after_trouble = std::chrono::milliseconds(200);
constexpr std::int64_t growth = 8;
constexpr std::size_t page_entries = 4096;
// What a relay had on its way when another took its lane over is repeated behind what that one sent. Who looks back
// from there may find such a repetition first, and has to look further. There are at most as many of them as may be on
// their way, and 8^6 are more than that.
constexpr int holes_before_gap = 6;

Error history_changed(std::string text) { return conflict(std::string(log::history_changed), std::move(text)); }

}  // namespace

void KafkaFeed::seek(const log::Positions& after) {
  stream_->adopt(cursor_);
  sought_without_epoch_ = cursor_.generation == 0;
  cursor_.position = to_sequences(after);
  cursor_.next.fill(TopicStream::unknown);
  cursor_.index = 0;
  searches_ = {};
}

log::Batch KafkaFeed::deliver(std::vector<log::RecordPtr> records) const {
  const std::int64_t now_ms = clock_.wall_ms();
  std::erase_if(records, [now_ms](const log::RecordPtr& record) {
    return record->expires_ms != 0 && record->expires_ms <= now_ms;
  });
  // Lanes are fetched side by side. Where one producer writes all of them, this is the order of its commits again, as
  // far as the records came together.
  std::stable_sort(records.begin(), records.end(), [](const log::RecordPtr& a, const log::RecordPtr& b) {
    return a->position.sequence < b->position.sequence;
  });
  return {std::move(records), to_positions(cursor_.position)};
}

Result<log::Batch> KafkaFeed::poll(std::size_t limit, Instant until) {
  std::vector<log::RecordPtr> records;
  const Sequences before = cursor_.position;
  while (true) {
    auto outcome = stream_->read(cursor_, limit, records);
    Result<void> looked;
    switch (outcome.reading) {
      case TopicStream::Reading::ok: return deliver(std::move(records));
      case TopicStream::Reading::waiting:
        if (stream_->wait(cursor_, until) || clock_.now() >= until) return deliver({});
        continue;
      case TopicStream::Reading::other_history:
        // Nothing was known of the topic when it began, and its first epoch is what it waited for.
        if (!sought_without_epoch_) return history_changed("the producer has begun another history");
        stream_->adopt(cursor_);
        sought_without_epoch_ = false;
        continue;
      case TopicStream::Reading::hole: looked = meet_hole(outcome.lane, outcome.entry); break;
      case TopicStream::Reading::behind: looked = read_back(outcome.floor, limit, records); break;
    }
    if (!records.empty() || before != cursor_.position) return deliver(std::move(records));
    if (looked) {
      told_trouble_ = false;
      continue;
    }
    if (looked.error().reason == log::history_changed) return std::move(looked).error();
    if (!std::exchange(told_trouble_, true))
      logger_.warning("cannot read old records, trying again",
                      {{"topic", stream_->name().topic}, {"group", group_}, {"error", looked.error().text}});
    if (stream_->pause(cursor_, std::min(until, clock_.now() + pause_after_trouble)) || clock_.now() >= until)
      return deliver({});
  }
}

Result<void> KafkaFeed::meet_hole(std::uint16_t lane, const Entry& entry) {
  Search& search = searches_[lane];
  if (search.hole != entry.offset && search.hole != -1) search = {};
  search.hole = entry.offset;
  if (!search.at_beginning && ++search.holes <= holes_before_gap) {
    search.ceiling = search.begun_at == 0 ? entry.offset : std::min(entry.offset, search.begun_at);
    cursor_.next[lane] = TopicStream::unknown;
    cursor_.index = 0;
    Offsets floor;
    floor.fill(entry.offset);
    return locate(floor);
  }
  measures_.gaps.add();
  stream_->note_gap(lane, entry.after);
  if (!group_.empty())
    return history_changed("records of lane " + std::to_string(lane) + " up to " + std::to_string(entry.after) +
                           " are no longer held");
  logger_.info(
      "skipped what is no longer held",
      {{"topic", stream_->name().topic}, {"lane", lane}, {"from", cursor_.position[lane]}, {"to", entry.after}});
  cursor_.position[lane] = entry.after;
  search = {};
  return {};
}

Result<void> KafkaFeed::locate(const Offsets& floor) {
  log::LaneSet open;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
    Search& search = searches_[lane];
    if (cursor_.next[lane] != TopicStream::unknown) continue;
    open.set(lane);
    if (search.ceiling == 0) search.ceiling = floor[lane];
  }
  if (open.none()) return {};
  BACKPLANE_TRY(ranges, cluster_->ranges(stream_->name()));
  while (open.any()) {
    PageRequest request;
    request.one_each = true;
    for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
      if (!open.test(lane)) continue;
      Search& search = searches_[lane];
      search.ceiling = std::min(search.ceiling, ranges[lane].end);
      search.begun_at = std::max(ranges[lane].begin, search.ceiling - search.step);
      search.at_beginning = search.begun_at == ranges[lane].begin;
      search.step *= growth;
      if (search.at_beginning) {  // there is nothing further back that one could choose instead
        cursor_.next[lane] = search.begun_at;
        open.reset(lane);
      } else {
        request.lanes[lane] = {search.begun_at, search.begun_at + 1};
      }
    }
    if (open.none()) break;
    BACKPLANE_TRY(entries, cluster_->read(stream_->name(), request));
    const std::string epoch = stream_->epoch();
    for (const Entry& entry : entries) {
      if (!open.test(entry.lane)) continue;
      const std::uint64_t position = cursor_.position[entry.lane];
      if (entry.epoch == epoch && entry.sequence > position && entry.after > position) continue;
      cursor_.next[entry.lane] = entry.offset;
      open.reset(entry.lane);
    }
  }
  return {};
}

Result<void> KafkaFeed::read_back(const Offsets& floor, std::size_t limit, std::vector<log::RecordPtr>& records) {
  BACKPLANE_CHECK(locate(floor));
  PageRequest request;
  request.entries = std::min(limit, page_entries);
  for (std::size_t lane = 0; lane < log::lane_count; ++lane)
    if (cursor_.next[lane] < floor[lane]) request.lanes[lane] = {cursor_.next[lane], floor[lane]};
  auto entries = cluster_->read(stream_->name(), request);
  if (!entries) {
    if (entries.error().reason != "out_of_range") return std::move(entries).error();
    // The brokers have deleted what was next. Where a lane begins now is found as at the start.
    cursor_.next.fill(TopicStream::unknown);
    searches_ = {};
    return {};
  }
  const std::string epoch = stream_->epoch();
  for (const Entry& entry : *entries) {
    std::int64_t& next = cursor_.next[entry.lane];
    if (entry.offset < next) continue;
    // Before a hole stands still what comes behind it in the same lane.
    if (next == TopicStream::unknown) continue;
    if (entry.epoch == epoch) {
      const auto step = TopicStream::take(cursor_.position, entry);
      if (step == TopicStream::Step::hole) {
        if (const auto met = meet_hole(entry.lane, entry); !met) return met;
        if (cursor_.next[entry.lane] != entry.offset) return {};
        if (TopicStream::take(cursor_.position, entry) == TopicStream::Step::record) records.push_back(entry.record);
      } else if (step == TopicStream::Step::record) {
        records.push_back(entry.record);
      }
    }
    next = entry.offset + 1;
  }
  measures_.old_records.add(entries->size());
  return {};
}

}  // namespace backplane::log_kafka
