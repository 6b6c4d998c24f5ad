// The recent records of one topic, in memory, so that those who keep up never cost a query. Values inside an Outbox,
// which guards them with its mutex.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>

#include "backplane/log/record.h"

namespace backplane::log {

class Ring {
 public:
  /// Every record above `floor` will be pushed.
  explicit Ring(std::uint64_t floor = 0) : floor_(floor) {}
  void push(RecordPtr record);
  /// Forgets the oldest record; the floor rises to it.
  void pop();
  /// Forgets everything: what may exist up to `floor` is not known here.
  void restart(std::uint64_t floor);
  /// Forgets records from the front that are worthless by now (volatile topics).
  void drop_expired(std::int64_t now_ms);

  std::uint64_t floor() const { return floor_; }
  /// The last record's number; the floor when there is none.
  std::uint64_t newest() const { return records_.empty() ? floor_ : records_.back()->position.sequence; }
  std::size_t bytes() const { return bytes_; }
  bool empty() const { return records_.empty(); }
  /// Whether all that comes after these positions is here.
  bool reaches_back_to(const Positions& after) const { return after.base() >= floor_; }
  /// Appends what is above `after` and has not expired, at most `limit` records, and moves `batch.after` on.
  void read(const Positions& after, std::size_t limit, std::int64_t now_ms, Batch& batch) const;
  /// The same of some lanes, moving `batch.after` on lane by lane; true when it came to the end.
  bool read_lanes(LaneSet lanes, std::size_t limit, Batch& batch) const;

 private:
  static std::size_t cost(const Record& record);
  std::deque<RecordPtr> records_;
  std::uint64_t floor_;
  std::size_t bytes_ = 0;
};

}  // namespace backplane::log
