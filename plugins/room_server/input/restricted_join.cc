#include "input/restricted_join.h"

#include <utility>

namespace backplane::room_server {
namespace {

using matrix::JoinRule;
using matrix::Membership;

constexpr int max_attempts = 4;

bool is_restricted(const RoomHead& head) {
  const JoinRule rule = head.join_rule();
  return (rule == JoinRule::restricted && head.version().restricted_join) ||
         (rule == JoinRule::knock_restricted && head.version().knock_restricted_join);
}

std::vector<RoomId> allowed_rooms(const matrix::Event& join_rules) {
  std::vector<RoomId> rooms;
  const auto document = json::Document::parse(join_rules.content());
  if (!document) return rooms;
  for (const json::View rule : document->root().find("allow").value_or(json::View()).elements()) {
    if (rule.find_string("type") != "m.room_membership") continue;
    if (const auto room = rule.find_string("room_id")) rooms.emplace_back(std::string(*room));
  }
  return rooms;
}

/// Whether what is known of a room here is of now.
bool is_known(storage::Session& session, const RoomId& room_id, const ServerName& own) {
  const auto room = tables::find_room(session, room_id);
  return room && tables::is_joined(session, room->number, own);
}

}  // namespace

Result<RestrictedJoin::Verdict> RestrictedJoin::judge(LaneGuard& lane) {
  const RoomHead& head = lane.head();
  const Membership membership = head.membership_of(user_);
  if (!is_restricted(head) || membership == Membership::join || membership == Membership::invite ||
      membership == Membership::ban) {
    return Verdict::not_asked;
  }
  const HeadState& rules = *head.find("m.room.join_rules", "");
  if (join_rules_ != rules.event_id) {
    BACKPLANE_TRY(event, lane.event_of(rules));
    join_rules_ = rules.event_id;
    wanted_ = allowed_rooms(event);
    verdict_ = Verdict::undecided;
  }
  if (verdict_ != Verdict::allowed) return verdict_;
  authoriser_ = head.find_member_with(environment_.server_name, head.power_levels().invite());
  return authoriser_.empty() ? Verdict::nobody_may_invite : Verdict::allowed;
}

Result<void> RestrictedJoin::look() {
  BACKPLANE_TRY(found, environment_.store.read([&](storage::Session& session) {
    Verdict verdict = Verdict::in_no_room;
    for (const RoomId& room : wanted_) {
      if (!is_known(session, room, environment_.server_name)) verdict = Verdict::unknown;
      else if (tables::is_joined(session, room, user_)) return Verdict::allowed;
    }
    return verdict;
  }));
  verdict_ = found;
  return {};
}

Result<RestrictedJoin::Entered> RestrictedJoin::enter(const RoomId& room_id) {
  for (int i = 0; i < max_attempts; ++i) {
    BACKPLANE_TRY(lane, environment_.lanes.enter(room_id));
    BACKPLANE_TRY(verdict, judge(lane));
    if (verdict != Verdict::undecided) return Entered{std::move(lane), verdict};
    lane.leave();
    BACKPLANE_CHECK(look());
  }
  return unavailable("busy", "the rules of the room changed again and again");
}

Result<void> check_verdict(RestrictedJoin::Verdict verdict, const UserId& user) {
  switch (verdict) {
    case RestrictedJoin::Verdict::not_asked:
    case RestrictedJoin::Verdict::undecided:
    case RestrictedJoin::Verdict::allowed: break;
    case RestrictedJoin::Verdict::unknown:
      return invalid("unable_to_authorise_join",
                     "this server does not know all the rooms whose members may join this one");
    case RestrictedJoin::Verdict::nobody_may_invite:
      return invalid("unable_to_grant_join", "nobody of this server may let " + user.str() + " into the room");
    case RestrictedJoin::Verdict::in_no_room:
      return denied("forbidden", user.str() + " is in none of the rooms whose members may join this one");
  }
  return {};
}

}  // namespace backplane::room_server
