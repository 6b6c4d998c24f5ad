// A room that goes. Its users of this server leave it, some at a time; with the last of them nobody finds it any more.
// Its rows go afterwards, by and by.
#include <utility>

#include "input/input.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t leaves_at_once = 100;

std::string deleted_payload(const RoomRow& room) {
  api::RoomEventRecord record;
  record.kind = api::RoomEventKind::room_deleted;
  record.room_id = room.room_id;
  record.room_version = room.version;
  return to_json(record);
}

Result<NewEvent> make_leave(Environment& environment, LaneGuard& lane, const UserId& user) {
  matrix::Event replaced;
  if (const HeadState* const entry = lane.head().find_member(user)) {
    BACKPLANE_TRY(event, lane.event_of(*entry));
    replaced = event;
  }
  matrix::EventDraft leave;
  leave.sender = user;
  leave.type = "m.room.member";
  leave.state_key = user.str();
  leave.content = R"({"membership":"leave"})";
  return make_event(environment, lane.head(), std::move(leave), replaced, {});
}

/// What is queued last, and whether the room goes with it.
Result<Attempt> empty_or_delete(Environment& environment, LaneGuard& lane, bool& is_last) {
  std::vector<NewEvent> leaves;
  for (const UserId& user : lane.head().members_of(environment.server_name, leaves_at_once)) {
    auto leave = make_leave(environment, lane, user);
    if (!leave) {
      if (!leaves.empty()) lane.spoil();
      return std::move(leave).error();
    }
    leaves.push_back(std::move(*leave));
  }
  is_last = leaves.size() < leaves_at_once;
  std::shared_ptr<Pending> pending;
  if (!leaves.empty()) pending = submit_events(environment, lane, std::move(leaves), {});
  if (!is_last) return Attempt{std::move(pending), {}, {}};
  pending = lane.submit(
      {}, {},
      [&environment, room = lane.head().room()](storage::Write& write, Pending& mine) -> Result<void> {
        tables::delete_room(write, room.number);
        mine.set_position(environment.publisher.publish(write, room.room_id.view(), deleted_payload(room)));
        return {};
      },
      [&environment] { environment.bodies.clear(); });
  lane.spoil();  // whoever comes next finds that it is gone
  return Attempt{std::move(pending), {}, {}};
}

}  // namespace

Result<api::PositionResponse> delete_room(Environment& environment, const api::DeleteRoomRequest& request) {
  for (bool is_last = false;;) {
    BACKPLANE_TRY(submitted, submit_in_lane(environment, request.room_id, {}, [&](LaneGuard& lane) {
                    return empty_or_delete(environment, lane, is_last);
                  }));
    if (is_last) return api::PositionResponse{submitted.position};
  }
}

}  // namespace backplane::room_server
