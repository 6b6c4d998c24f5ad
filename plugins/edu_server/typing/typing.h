// Who types where, until when. A change tells everyone who is typing in that room now, through a volatile topic. Any
// thread. Timers hold a share of the state, so that one that comes late finds it.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "backplane/log/log.h"
#include "backplane/matrix/ids.h"
#include "backplane/plugin/plugin.h"

namespace backplane::edu_server {

class Typing {
 public:
  Typing(Clock& clock, plugin::Timers& timers, log::Publisher& publisher);
  /// The user types for so long; zero: has stopped.
  void set(const RoomId& room, const UserId& user, Duration duration);
  std::vector<UserId> list(const RoomId& room) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace backplane::edu_server
