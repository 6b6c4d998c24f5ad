// One change of a room on its way to the disk: queued in order by the room's lane, committed by the store's writer,
// waited for by whoever asked for it (and by those who asked for the same thing meanwhile). Any thread.
#pragma once

#include <atomic>
#include <string>
#include <utility>

#include "backplane/base/result.h"
#include "backplane/log/position.h"
#include "backplane/matrix/ids.h"

namespace backplane::room_server {

class Pending {
 public:
  Pending(EventId event_id, std::string transaction_key)
      : event_id_(std::move(event_id)), transaction_key_(std::move(transaction_key)) {}

  const EventId& event_id() const { return event_id_; }
  const std::string& transaction_key() const { return transaction_key_; }

  /// For the work, before finish().
  void set_position(log::Position position) { position_ = position; }
  /// Once, by the store's writer.
  void finish(Result<void> result) {
    result_ = std::move(result);
    // In one order with notify_all()'s look whether anybody waits: a mere release could be seen after that look, by one
    // who has just begun to wait and is not told any more.
    finished_.store(1);
    finished_.notify_all();
  }

  bool finished() const { return finished_.load(std::memory_order_acquire) == 1; }
  /// Waits for the disk.
  const Result<void>& wait() const {
    finished_.wait(0, std::memory_order_acquire);
    return result_;
  }
  /// After wait() has answered without an error.
  log::Position position() const { return position_; }

 private:
  const EventId event_id_;
  const std::string transaction_key_;
  log::Position position_;
  Result<void> result_;
  std::atomic<int> finished_{0};
};

}  // namespace backplane::room_server
