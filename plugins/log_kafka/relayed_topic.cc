#include "relayed_topic.h"

#include <algorithm>
#include <utility>

namespace backplane::log_kafka {
namespace {

constexpr std::size_t batch_records = 500;
constexpr Duration pause_after_error = std::chrono::seconds(1);
// Something only an operator can mend.
constexpr Duration pause_after_fault = std::chrono::seconds(10);
/// The epoch of a source that stores nothing.
constexpr std::string_view volatile_epoch = "volatile";

std::string group_of(std::uint16_t lane) { return "kafka/" + std::to_string(lane); }

}  // namespace

RelayedTopic::RelayedTopic(log::Source& source, TopicName name, const KafkaSettings& settings, Clock& clock,
                           Counter& relayed, Logger logger)
    : source_(source),
      name_(std::move(name)),
      settings_(settings),
      clock_(clock),
      relayed_(relayed),
      logger_(std::move(logger)),
      volatile_(source.epoch() == volatile_epoch) {}

Result<std::optional<MissingTopic>> RelayedTopic::check(Cluster& cluster) const {
  BACKPLANE_TRY(partitions, cluster.find_topic(name_));
  if (partitions && *partitions != log::lane_count) return wrong_partitions(name_, *partitions);
  if (partitions) return std::optional<MissingTopic>();
  return std::optional(MissingTopic{name_, volatile_ ? settings_.volatile_retention : settings_.retention});
}

void RelayedTopic::attach(rd_kafka_topic_t* handle) {
  handle_ = handle;
  for (Lane& lane : lanes_) {
    lane.in_flight.clear();
    lane.confirmed = false;
    if (lane.state == State::active) lane.state = State::beginning;
  }
}

log::LaneSet RelayedTopic::active() const {
  log::LaneSet lanes;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) lanes.set(lane, lanes_[lane].state == State::active);
  return lanes;
}

bool RelayedTopic::begun() const {
  const log::LaneSet wanted = source_.lanes();
  for (std::size_t lane = 0; lane < log::lane_count; ++lane)
    if (wanted.test(lane) && !lanes_[lane].confirmed) return false;
  return true;
}

bool RelayedTopic::carried() const {
  const log::LaneSet wanted = source_.lanes();
  const log::Positions head = source_.head(name_.topic);
  for (std::uint16_t number = 0; number < log::lane_count; ++number) {
    const Lane& lane = lanes_[number];
    const bool all =
        lane.state == State::active && lane.settled && lane.in_flight.empty() && lane.next >= head.of(number);
    if (wanted.test(number) && !all) return false;
  }
  return true;
}

Entry RelayedTopic::control(std::uint16_t lane, std::uint64_t after, std::uint64_t sequence) const {
  Entry entry;
  entry.lane = lane;
  entry.timestamp_ms = clock_.wall_ms();
  entry.epoch = source_.epoch();
  entry.after = after;
  entry.sequence = sequence;
  return entry;
}

std::optional<std::uint64_t> RelayedTopic::noted_before(std::uint16_t lane) const {
  const std::string wanted = group_of(lane);
  for (const log::KnownGroup& group : source_.groups(name_.topic))
    if (group.group == wanted) return group.position.of(lane);
  return std::nullopt;
}

Result<void> RelayedTopic::begin_lanes(Cluster& cluster, Sender& sender) {
  const log::LaneSet wanted = source_.lanes();
  bool any = false;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
    if (!wanted.test(lane)) {
      if (lanes_[lane].state != State::idle) lanes_[lane] = Lane{};
    } else if (lanes_[lane].state == State::idle) {
      lanes_[lane].state = State::beginning;
    }
    any = any || lanes_[lane].state == State::beginning;
  }
  if (!any || clock_.now() < retry_at_) return {};
  retry_at_ = clock_.now() + pause_after_error;
  auto ranges = cluster.ranges(name_);
  if (!ranges && ranges.error().code == ErrorCode::not_found) {  // it was deleted
    BACKPLANE_TRY(missing, check(cluster));
    if (missing) BACKPLANE_CHECK(cluster.create_topics({*missing}));
    ranges = cluster.ranges(name_);
  }
  if (!ranges) return std::move(ranges).error();
  PageRequest request;
  request.one_each = true;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane)
    if (const Range& range = (*ranges)[lane]; lanes_[lane].state == State::beginning && range.begin < range.end)
      request.lanes[lane] = {range.end - 1, range.end};
  BACKPLANE_TRY(entries, cluster.read(name_, request));
  std::array<const Entry*, log::lane_count> last{};
  for (const Entry& entry : entries) last[entry.lane] = &entry;
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane) {
    if (lanes_[lane].state != State::beginning) continue;
    const auto begun = begin(lanes_[lane], lane, last[lane], sender);
    if (!begun) {
      if (begun.error().code == ErrorCode::conflict) retry_at_ = clock_.now() + pause_after_fault;
      return begun;
    }
  }
  retry_at_ = {};
  return {};
}

Result<void> RelayedTopic::begin(Lane& lane, std::uint16_t number, const Entry* last, Sender& sender) {
  const std::uint64_t trimmed = source_.trimmed(name_.topic).of(number);
  Entry entry = control(number, trimmed, trimmed);
  lane.last = lane.next = trimmed;
  if (last != nullptr && last->epoch == entry.epoch) {
    // The outbox goes on from the end of the partition.
    const std::uint64_t written = std::max(source_.head().of(number), source_.head(name_.topic).of(number));
    // Another host has taken the lane while Kafka was read, and knows how far it has come: here nobody does any more.
    if (!source_.lanes().test(number)) {
      lane = Lane{};
      return {};
    }
    if (last->sequence > written && !volatile_)
      return conflict("kafka_ahead", "topic " + name_.in_kafka + " holds record " + std::to_string(last->sequence) +
                                         " of lane " + std::to_string(number) + ", and its producer's database has " +
                                         "come to " + std::to_string(written) +
                                         " only: a database that was copied back begins a new history with "
                                         "`backplane restore`; or delete the topic");
    const auto noted = noted_before(number);
    // What is no longer in the outbox was relayed, or there was none of this lane.
    const bool complete = last->sequence >= trimmed || (noted && *noted >= trimmed);
    if (complete) {
      lane.last = last->record == nullptr ? last->after : last->sequence;
      lane.next = std::max(last->sequence, trimmed);
      entry.after = lane.last;
      entry.sequence = lane.next;
    } else if (!volatile_) {
      logger_.warning("records were trimmed before they were relayed",
                      {{"topic", name_.topic}, {"lane", number}, {"from", last->sequence}, {"to", trimmed}});
    }
  }
  bool full = false;
  lane.state = State::active;
  lane.settled = false;
  lane.acknowledged = lane.noted = 0;
  const auto sent = send(sender, std::move(entry), full);
  if (sent && !full) return {};
  lane.state = State::beginning;
  return sent ? Result<void>(unavailable("kafka", "the queue to the brokers is full")) : sent;
}

Result<void> RelayedTopic::send(Sender& sender, Entry entry, bool& full) {
  Lane& lane = lanes_[entry.lane];
  std::uint64_t id = 0;
  switch (sender.send(handle_, entry, id)) {
    case Sender::Sent::full: full = true; return {};
    case Sender::Sent::refused:
      retry_at_ = clock_.now() + pause_after_fault;
      return conflict("kafka_refused", "librdkafka does not take record " + std::to_string(entry.sequence) +
                                           " of topic " + name_.in_kafka + ": it may be larger than 8 MiB");
    case Sender::Sent::yes: break;
  }
  lane.in_flight.push_back({id, entry.sequence});
  lane.next = lane.announced = entry.sequence;
  lane.sent_at = clock_.now();
  if (entry.record != nullptr) {
    lane.last = entry.sequence;
    relayed_.add();
  }
  return {};
}

/// What read() continues from: lanes that are not ours look as if all of them had been read.
log::Positions RelayedTopic::cursor(log::LaneSet lanes) const {
  Sequences sequences;
  sequences.fill(UINT64_MAX);
  for (std::size_t lane = 0; lane < log::lane_count; ++lane)
    if (lanes.test(lane)) sequences[lane] = lanes_[lane].next;
  return to_positions(sequences);
}

Result<bool> RelayedTopic::send_news(Sender& sender) {
  log::LaneSet lanes = active();
  if (lanes.none() || clock_.now() < retry_at_) return false;
  const std::size_t limit = std::min(batch_records, sender.room());
  if (limit == 0) return false;
  // In this order: everything of this topic that this head counts is found by read().
  const log::Positions head = source_.head();
  const log::Positions topic_head = source_.head(name_.topic);
  bool news = false, unsettled = false;
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane) {
    if (!lanes.test(lane)) continue;
    news = news || topic_head.of(lane) > lanes_[lane].next;
    unsettled = unsettled || !lanes_[lane].settled;
  }
  if (!news && !unsettled) return false;
  auto batch = source_.read(name_.topic, cursor(lanes), limit);
  if (!batch) {
    retry_at_ = clock_.now() + pause_after_error;
    return std::move(batch).error();
  }
  // A lane that has gone meanwhile may have been written by another host since.
  lanes &= source_.lanes();
  BACKPLANE_TRY(sent, send_batch(sender, *batch, lanes));
  if (!sent) return false;
  const bool more = batch->records.size() >= limit;
  if (!more && unsettled) BACKPLANE_CHECK(settle(sender, head, lanes));
  return more;
}

Result<bool> RelayedTopic::send_batch(Sender& sender, const log::Batch& batch, log::LaneSet lanes) {
  std::vector<log::RecordPtr> records;
  for (const log::RecordPtr& record : batch.records) {
    const log::Position& at = record->position;
    if (at.lane < log::lane_count && lanes.test(at.lane) && at.sequence > lanes_[at.lane].next)
      records.push_back(record);
  }
  for (const log::RecordPtr& record : records) {
    Lane& lane = lanes_[record->position.lane];
    Entry entry;
    entry.lane = record->position.lane;
    entry.timestamp_ms = record->written_ms;
    entry.epoch = source_.epoch();
    entry.sequence = record->position.sequence;
    entry.after = lane.last;
    entry.record = record;
    Announcement announcement;
    if (record == records.back()) {
      for (std::uint16_t other = 0; other < log::lane_count; ++other)
        if (lanes.test(other)) announcement.head = std::max(announcement.head, batch.after.of(other));
      for (std::uint16_t other = 0; other < log::lane_count; ++other) {
        if (!lanes.test(other) || batch.after.of(other) != announcement.head) continue;
        announcement.lanes.set(other);
        announcement.last[other] = other == entry.lane ? entry.sequence : lanes_[other].last;
      }
      entry.announcement = std::make_shared<const Announcement>(announcement);
    }
    bool full = false;
    BACKPLANE_CHECK(send(sender, std::move(entry), full));
    if (full) return false;
    for (std::size_t other = 0; other < log::lane_count; ++other)
      if (announcement.lanes.test(other)) lanes_[other].announced = announcement.head;
  }
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane)
    if (lanes.test(lane)) lanes_[lane].next = std::max(lanes_[lane].next, batch.after.of(lane));
  return true;
}

/// A lane that was read to its end for the first time says how far that is. Another host may have announced as much of
/// it in lanes that it keeps, and who begins to follow now finds no more of that.
Result<void> RelayedTopic::settle(Sender& sender, const log::Positions& head, log::LaneSet lanes) {
  for (std::uint16_t number = 0; number < log::lane_count; ++number) {
    Lane& lane = lanes_[number];
    if (!lanes.test(number) || lane.settled) continue;
    const std::uint64_t reached = std::max(lane.next, head.of(number));
    if (reached > lane.announced) {
      bool full = false;
      BACKPLANE_CHECK(send(sender, control(number, lane.last, reached), full));
      if (full) return {};
    }
    lane.settled = true;
  }
  return {};
}

void RelayedTopic::keep_alive(Sender& sender) {
  const Duration interval = (volatile_ ? settings_.volatile_retention : settings_.retention) / 4;
  for (std::uint16_t number = 0; number < log::lane_count; ++number) {
    Lane& lane = lanes_[number];
    if (lane.state != State::active || clock_.now() - lane.sent_at < interval) continue;
    bool full = false;
    if (!send(sender, control(number, lane.last, lane.next), full) || full) return;
  }
}

void RelayedTopic::acknowledged(std::uint16_t number, std::uint64_t id) {
  Lane& lane = lanes_[number];
  while (!lane.in_flight.empty() && lane.in_flight.front().id <= id) {
    lane.acknowledged = lane.in_flight.front().sequence;
    lane.in_flight.pop_front();
    lane.confirmed = true;
  }
}

void RelayedTopic::note() {
  const log::Positions head = source_.head(name_.topic);
  Sequences floor{};
  std::uint64_t lag = 0;
  for (std::uint16_t number = 0; number < log::lane_count; ++number) {
    Lane& lane = lanes_[number];
    if (lane.state == State::idle) continue;
    if (const std::uint64_t relayed = lane.relayed(); lane.state == State::active && relayed > lane.noted) {
      source_.note_group(name_.topic, group_of(number), log::Positions(relayed));
      lane.noted = relayed;
    }
    floor[number] = lane.noted;
    if (head.of(number) > lane.noted) lag = std::max(lag, head.of(number) - lane.noted);
  }
  lag_ = static_cast<std::int64_t>(lag);
  // Notes come before what is trimmed: they say that nothing was lost by it.
  const Instant now = clock_.now();
  const Duration keep = settings_.keep_relayed;
  if (checkpoints_.empty() || now - checkpoints_.back().first >= keep / 32)
    checkpoints_.emplace_back(now, to_positions(floor));
  std::optional<log::Positions> trim;
  while (!checkpoints_.empty() && now - checkpoints_.front().first >= keep) {
    trim = std::move(checkpoints_.front().second);
    checkpoints_.pop_front();
  }
  if (trim) source_.trim(name_.topic, *trim);
}

}  // namespace backplane::log_kafka
