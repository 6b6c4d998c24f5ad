// Makes the answer of a /sync: what concerns the user after a token, in the form of the Client-Server API, "Syncing".
// It works on memory alone where it can; where it has to wait (for the index, for bodies) and may not, it answers
// would_block(). Any thread; holds nothing between answers.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "filter.h"
#include "sync/room_plan.h"
#include "tail/read_model.h"

namespace backplane::sync_api {

struct SyncRequest {
  UserPtr user;
  DeviceId device;
  std::optional<SyncToken> since;
  FilterPtr filter;
  bool full_state = false;
  bool use_state_after = false;
};

struct SyncAnswer {
  std::string body;
  bool empty = true;  ///< nothing but next_batch
  SyncToken next;
};

struct AssemblerOptions {
  std::uint32_t default_limit = 10;
  std::uint32_t max_limit = 100;
};

class Assembler {
 public:
  Assembler(ReadModel& model, EventCache& events, storage::Store& store, Clock& clock, Logger logger,
            AssemblerOptions options)
      : model_(model), events_(events), store_(store), clock_(clock), log_(std::move(logger)), options_(options) {}

  /// Errors: would_block(); those of the database and of room_server.
  Result<SyncAnswer> assemble(const Access& access, const SyncRequest& request);
  /// The answer of a poll for which nothing came.
  static std::string nothing_new(std::string_view next_batch);

  struct Work;

 private:
  Result<void> plan_rooms(Work& work) const;
  Result<void> plan_invites(Work& work) const;
  Result<void> write_large_state(const Work& work, RoomPlan& plan);
  Result<void> fetch(Work& work);
  void write(Work& work, SyncAnswer& answer) const;
  void write_rooms(Work& work, std::string& out) const;

  ReadModel& model_;
  EventCache& events_;
  storage::Store& store_;
  Clock& clock_;
  Logger log_;
  const AssemblerOptions options_;
};

}  // namespace backplane::sync_api
