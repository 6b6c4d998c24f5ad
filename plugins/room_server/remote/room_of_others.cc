#include "remote/room_of_others.h"

#include <algorithm>
#include <utility>

#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/auth_state.h"
#include "backplane/matrix/event_hash.h"
#include "graph/intake.h"
#include "remote/remote_membership.h"

namespace backplane::room_server {
namespace {

Error bad_answer(const std::string& text) {
  return incomplete("bad_answer", "the other server's answer to the join " + text);
}

}  // namespace

Result<RoomOfOthers> RoomOfOthers::read(matrix::Event join, api::SendRemoteJoinResponse answer) {
  RoomOfOthers room;
  const matrix::RoomVersion& version = join.room_version();
  room.join_ = std::move(join);
  if (version.restricted_join && !answer.event.empty()) {
    auto signed_join = matrix::Event::parse_untrusted(answer.event.text, version);
    if (signed_join && signed_join->event_id() == room.join_.event_id()) room.join_ = std::move(*signed_join);
  }
  const auto signatures = matrix::signatures_of(room.join_);
  for (const ServerName& signer : matrix::required_signers(room.join_)) {
    // Else no other server of the room would take it.
    if (std::ranges::find(signatures, signer.view(), &matrix::Signature::entity) == signatures.end())
      return bad_answer("leaves it without the signature of " + signer.str());
  }
  std::vector<matrix::Event> state;
  for (const json::Raw& raw : answer.state) {
    auto event = matrix::Event::parse_untrusted(raw.text, version);
    if (!event || !event->is_state() || event->room_id() != room.join_.room_id())
      return bad_answer("has a state that is not of this room");
    if (event->is_state("m.room.create", "")) room.create_ = *event;
    room.state_.push_back(event->event_id());
    state.push_back(std::move(*event));
  }
  if (!room.create_) return bad_answer("has no m.room.create event");
  for (const EventId& event_id : room.join_.auth_events()) {
    if (std::ranges::find(room.state_, event_id) == room.state_.end())
      return bad_answer("has a state without " + event_id.str() + ", which the join cites");
  }
  if (json::find_raw_string(room.create_.content(), "room_version").value_or("1") != version.id)
    return bad_answer("is of another room version than it said before");
  // Nothing that comes later is asked of it again: before room version 12 anybody could claim to have made the room.
  const auto no_beginning =
      matrix::check_auth_rules(matrix::AuthSubject::of(room.create_), version, matrix::auth_state_of({}));
  if (no_beginning) return bad_answer("has an m.room.create event that is none: " + std::string(no_beginning->text));
  const auto rejection =
      matrix::check_auth_rules(matrix::AuthSubject::of(room.join_), version, matrix::auth_state_of(std::move(state)));
  if (rejection) return bad_answer("has a state that does not allow it: " + std::string(rejection->text));
  room.events_ = std::move(answer.state);
  room.events_.insert(room.events_.end(), std::make_move_iterator(answer.auth_chain.begin()),
                      std::make_move_iterator(answer.auth_chain.end()));
  return room;
}

Result<void> RoomOfOthers::begin(Environment& environment) const {
  const RoomId room_id = join_.room_id();
  BACKPLANE_TRY(known,
                environment.store.read([&](storage::Session& session) { return tables::find_room(session, room_id); }));
  if (known && known->version.view() != join_.room_version().id)
    return bad_answer("is of version " + std::string(join_.room_version().id) + ", and the room here of " +
                      known->version.str());
  if (known) return {};
  const std::uint16_t lane = log::lane_of(room_id.view());
  const std::uint64_t generation = environment.store.ownership().generation(lane);
  if (generation == 0) return storage::not_owner(environment.store.ownership(), lane);
  RoomHead head(room_id, join_.room_version());
  std::vector<NewEvent> events;
  {
    Intake intake(environment, head);
    BACKPLANE_CHECK(intake.begin(create_));
    events = intake.take_new_events();
  }
  const auto chain = std::make_shared<storage::Chain>(lane, generation);
  const auto stored = environment.store.write(
      [&](storage::Write& write) {
        head.set_number(tables::insert_room(write, head.room(), json::find_raw_string(create_.content(), "type")));
        ChangedBodies none;
        store_events(environment, write, head.room(), events, none);
      },
      chain);
  if (!stored) return stored.error();
  environment.lanes.adopt(std::move(head), generation);
  return {};
}

api::ReceivedEvent RoomOfOthers::received() const {
  return {{std::string(join_.json())}, api::ReceivedKind::way_in, state_};
}

Result<log::Position> RoomOfOthers::finish(Environment& environment) const {
  bool was_held = false;
  BACKPLANE_TRY(stored, environment.store.read([&](storage::Session& session) {
    was_held = tables::find_remote_membership(session, join_.room_id(), join_.sender()).has_value();
    const auto room = tables::find_room(session, join_.room_id());
    return room ? tables::find_event(session, room->number, join_.event_id()) : std::nullopt;
  }));
  if (!stored || stored->status != EventStatus::accepted) return bad_answer("left out what the join builds on");
  if (was_held) BACKPLANE_CHECK(delete_remote_membership(environment, join_.room_id(), join_.sender()));
  return stored->position;
}

}  // namespace backplane::room_server
