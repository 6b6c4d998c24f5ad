// Carries a changed profile into every room that its user is in: a stored job, one room a step, that goes on after a
// restart. It knows the rooms from the memberships on log 4. Who joins a room with an older profile while the job runs
// is seen there too, and that room is queued again. Any thread.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>

#include "backplane/api/room_server.h"
#include "backplane/plugin/plugin.h"

namespace backplane::client_api {

class ProfileJob {
 public:
  ProfileJob(plugin::Host& host, storage::Store& store, api::RoomServer& rooms);
  ~ProfileJob();

  /// Queues every room that the user is in, unless that was done for this version of the profile, or a newer one;
  /// answers once it is stored.
  Result<void> begin(const api::MemberProfile& profile, std::int64_t version);
  /// Log 4: follows memberships of this server's users.
  log::Outcome consume(storage::Write& write, const log::Record& record);

  void start();
  /// Ends after the room under way; the rest goes on at the next start.
  void stop();

 private:
  struct Step {
    RoomId room;
    api::MemberProfile profile;
  };
  void run();
  /// Every step once; false when some have to be tried again.
  bool carry_out_all();
  /// The first one behind that room of that user.
  std::optional<Step> next_step(const UserId& user, const RoomId& room);
  bool carry_out(const Step& step);
  bool expand(const UserId& user);
  /// Nothing when the room has it, or needs it no more.
  Result<void> tell_room(const Step& step);
  void wake();

  plugin::Host& host_;
  storage::Store& store_;
  api::RoomServer& rooms_;
  const Logger logger_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::atomic<bool> stopping_{false};
  bool work_ = true;  ///< what was left at the last stop
  std::thread thread_;
};

}  // namespace backplane::client_api
