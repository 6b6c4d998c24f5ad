// The consumers that keep the durable index: each record becomes rows, in lazy batches, because what a crash loses the
// log gives again. Records that memory has parsed already are not parsed a second time.
#pragma once

#include "backplane/api/edu_server.h"
#include "backplane/api/room_server.h"
#include "backplane/api/user_api.h"
#include "backplane/log/log.h"
#include "tail/read_model.h"

namespace backplane::sync_api {

inline constexpr std::string_view index_group = "sync_api";

struct Producers {
  api::RoomServer& rooms;
  api::UserApi& users;
  api::EduServer& edus;
};

/// Subscribes the index and the memory to the topics, in wire(). Everything given outlives the subscriptions.
Subscriptions subscribe(log::Log& log, storage::Store& store, ReadModel& model, const Producers& producers,
                        Clock& clock, Duration linger, const Logger& logger);

}  // namespace backplane::sync_api
