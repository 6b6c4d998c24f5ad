// Shutting down without pulling the floor from under work in progress: what starts enters the gate, closing refuses
// new entries and waits for those inside. Any thread; the gate outlives its entries.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <utility>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"

namespace backplane {

class BACKPLANE_API Gate {
 public:
  /// Holds the gate open; tests false when the gate was closed already.
  class Entry {
   public:
    Entry() = default;
    Entry(Entry&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Entry& operator=(Entry&& other) noexcept {
      std::swap(gate_, other.gate_);
      return *this;
    }
    ~Entry() {
      if (gate_ != nullptr) gate_->leave();
    }
    explicit operator bool() const { return gate_ != nullptr; }

   private:
    friend class Gate;
    explicit Entry(Gate* gate) : gate_(gate) {}
    Gate* gate_ = nullptr;
  };

  Entry enter();
  /// Refuses entries from now on.
  void close();
  /// Closes, then waits for those inside; false when some were still there at the deadline.
  bool close_and_wait(Clock& clock, Instant deadline);
  bool is_closed() const;
  std::size_t inside() const;

 private:
  void leave();
  mutable std::mutex mutex_;
  std::condition_variable empty_;
  std::size_t inside_ = 0;
  bool closed_ = false;
};

}  // namespace backplane
