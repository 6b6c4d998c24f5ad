#include "log/ring.h"

#include <algorithm>
#include <utility>

namespace backplane::log {

std::size_t Ring::cost(const Record& record) {
  return sizeof(Record) + 48 + record.topic.capacity() + record.key.capacity() + record.payload.capacity();
}

void Ring::push(RecordPtr record) {
  bytes_ += cost(*record);
  records_.push_back(std::move(record));
}

void Ring::pop() {
  bytes_ -= cost(*records_.front());
  floor_ = records_.front()->position.sequence;
  records_.pop_front();
}

void Ring::restart(std::uint64_t floor) {
  records_.clear();
  bytes_ = 0;
  floor_ = floor;
}

void Ring::drop_expired(std::int64_t now_ms) {
  while (!records_.empty() && records_.front()->expires_ms <= now_ms) pop();
}

void Ring::read(const Positions& after, std::size_t limit, std::int64_t now_ms, Batch& batch) const {
  auto it = std::upper_bound(records_.begin(), records_.end(), after.base(),
                             [](std::uint64_t base, const RecordPtr& r) { return base < r->position.sequence; });
  for (; it != records_.end() && batch.records.size() < limit; ++it) {
    const Record& record = **it;
    batch.after.advance_all(record.position.sequence);
    if (after.covers(record.position)) continue;
    if (record.expires_ms != 0 && record.expires_ms <= now_ms) continue;
    batch.records.push_back(*it);
  }
}

bool Ring::read_lanes(LaneSet lanes, std::size_t limit, Batch& batch) const {
  std::uint64_t lowest = UINT64_MAX;
  for (std::uint16_t lane = 0; lane < lane_count; ++lane)
    if (lanes.test(lane)) lowest = std::min(lowest, batch.after.of(lane));
  auto it = std::upper_bound(records_.begin(), records_.end(), lowest,
                             [](std::uint64_t base, const RecordPtr& r) { return base < r->position.sequence; });
  for (; it != records_.end(); ++it) {
    const Position position = (*it)->position;
    if (!lanes.test(position.lane) || batch.after.covers(position)) continue;
    if (batch.records.size() >= limit) return false;
    batch.after.advance(position);
    batch.records.push_back(*it);
  }
  return true;
}

}  // namespace backplane::log
