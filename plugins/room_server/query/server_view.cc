#include "query/server_view.h"

#include <algorithm>
#include <utility>

#include "backplane/matrix/redaction.h"
#include "backplane/matrix/server_event.h"

namespace backplane::room_server {
namespace {

using matrix::HistoryVisibility;
using matrix::Membership;

constexpr std::string_view member_type = "m.room.member";
/// For more members than this a state is laid out as a table before it is asked about each of them.
constexpr std::size_t few_members = 32;
/// So many events are read at a time, until one of them settles it.
constexpr std::size_t events_at_once = 64;

/// The server sees what any of its users does: who is joined sees all that one who is invited sees, and so on.
Membership better_of(Membership one, Membership other) {
  for (const Membership membership : {Membership::join, Membership::invite})
    if (one == membership || other == membership) return membership;
  return Membership::leave;
}

/// Whoever is in the room now has joined it at some time, if not before the event then after it.
bool may_see(HistoryVisibility visibility, Membership membership) {
  return matrix::may_see_event(visibility, membership, true);
}

std::string_view content_of(const EventRow& event) { return json::find_raw(event.json, "content").value_or("{}"); }

}  // namespace

ServerView::ServerView(storage::Session& session, RoomRow room, ServerName server)
    : session_(session), room_(std::move(room)), server_(std::move(server)) {}

bool ServerView::is_in_room() {
  if (!is_in_room_) is_in_room_ = tables::is_joined(session_, room_.number, server_);
  return *is_in_room_;
}

bool ServerView::may_see(const EventRow& event) {
  // The state at an outlier is not known. Those that are cited are for all to have who have what cites them.
  if (event.status == EventStatus::outlier) return event.state_key.has_value();
  const HistoryVisibility visibility = matrix::history_visibility_from(event.history_visibility);
  if (room_server::may_see(visibility, Membership::leave)) return true;
  // Spec: Client-Server API, Room History Visibility, Server behaviour: what changes the visibility, or the user's own
  // membership, is seen when what holds before it or after it allows. What was rejected changes nothing.
  const bool changes = event.state_key && event.status != EventStatus::rejected;
  HistoryVisibility after = visibility;
  if (changes && event.type == "m.room.history_visibility" && event.state_key->empty()) {
    after = matrix::history_visibility_in(content_of(event));
    if (room_server::may_see(after, Membership::leave)) return true;
  }
  if (changes && event.type == member_type && matrix::is_on_server(*event.state_key, server_)) {
    const auto membership = matrix::membership_in(content_of(event));
    if (membership && room_server::may_see(visibility, *membership)) return true;
  }
  const Membership membership = membership_at(event.state_before);
  return room_server::may_see(visibility, membership) || room_server::may_see(after, membership);
}

api::EventBody ServerView::body(EventRow event) {
  // What redaction leaves has no `unsigned` either.
  std::string json = may_see(event) ? matrix::server_event(event.json)
                                    : matrix::redact_json(event.json, *matrix::find_room_version(room_.version));
  return {std::move(event.event_id), room_.room_id, {std::move(json)}, room_.version, event.content_version};
}

/// The best that a user of the server had in that state.
Membership ServerView::membership_at(std::int64_t snapshot) {
  const auto [at, is_new] = at_.try_emplace(snapshot, Membership::leave);
  if (!is_new || snapshot == 0) return at->second;
  const StateSnapshotPointer state = tables::find_snapshot(session_, room_.number, snapshot, &snapshots_);
  if (snapshots_.is_full()) snapshots_.clear();
  snapshots_.add(state);
  return at->second = find_membership(*state);
}

Membership ServerView::find_membership(const StateSnapshot& state) {
  std::optional<StateTable> table;
  if (members().size() > few_members) table.emplace(&state);
  Membership best = Membership::leave;
  std::vector<std::int64_t> unknown;
  for (const StateRow& member : members()) {
    const std::int64_t ordinal = table ? table->find(member.number) : state.find(member.number);
    if (ordinal == 0) continue;
    if (const auto said = said_.find(ordinal); said != said_.end()) best = better_of(best, said->second);
    else unknown.push_back(ordinal);
    if (best == Membership::join) return best;
  }
  return better_of(best, best_of_stored(std::move(unknown)));
}

Membership ServerView::best_of_stored(std::vector<std::int64_t> ordinals) {
  std::ranges::sort(ordinals);  // as they lie in the table
  Membership best = Membership::leave;
  for (std::span<const std::int64_t> left(ordinals); !left.empty() && best != Membership::join;) {
    const auto some = left.first(std::min(left.size(), events_at_once));
    left = left.subspan(some.size());
    tables::each_json(session_, room_.number, some, [&](std::int64_t ordinal, const std::string& json) {
      const auto content = json::find_raw(json, "content").value_or("{}");
      const Membership said = matrix::membership_in(content).value_or(Membership::leave);
      said_[ordinal] = said;
      best = better_of(best, said);
    });
  }
  return best;
}

const std::vector<StateRow>& ServerView::members() {
  if (!members_) {
    members_ = tables::list_members_of(session_, room_.number, server_);
    for (const StateRow& member : *members_) {
      if (member.ordinal != 0)
        said_[member.ordinal] = matrix::membership_from(member.membership).value_or(Membership::leave);
    }
    // Who is joined now was so before, most likely.
    std::ranges::stable_partition(*members_, [](const StateRow& member) { return member.membership == "join"; });
  }
  return *members_;
}

}  // namespace backplane::room_server
