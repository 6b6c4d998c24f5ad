#include <algorithm>
#include <queue>
#include <set>
#include <utility>

#include "backplane/matrix/event.h"
#include "query/query.h"
#include "query/server_view.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t max_events = 1000;
constexpr std::size_t max_looks = 5000;

class Walk {
 public:
  Walk(storage::Session& session, const RoomRow& room, const api::ListEarlierEventsRequest& request)
      : session_(session),
        room_(room),
        version_(*matrix::find_room_version(room.version)),
        request_(request),
        limit_(std::min<std::size_t>(request.limit, max_events)),
        seen_(request.until.begin(), request.until.end()) {
    if (!request.for_server.empty()) view_.emplace(session, room, request.for_server);
  }

  Result<api::GetEventsResponse> run() {
    if (view_ && !view_->is_in_room())
      return denied("not_in_room", "nobody of " + request_.for_server.str() + " is in the room");
    for (const EventId& event_id : request_.from) add(event_id);
    api::GetEventsResponse response;
    // Rejected ones are not answered, and there may be any number of them.
    for (std::size_t looks = 0; !left_.empty() && response.events.size() < limit_ && looks < max_looks; ++looks) {
      EventRow row = left_.top();
      left_.pop();
      const matrix::Event event = matrix::Event::from_stored(row.json, row.event_id, version_);
      for (const EventId& prev : event.prev_events()) add(prev);
      const bool is_start = std::ranges::find(request_.from, row.event_id) != request_.from.end();
      if (row.status == EventStatus::rejected || (is_start && !request_.with_from)) continue;
      response.events.push_back(view_ ? view_->body(std::move(row)) : body_of(std::move(row)));
    }
    return response;
  }

 private:
  struct IsHigher {
    bool operator()(const EventRow& a, const EventRow& b) const {
      return std::pair(a.depth, a.ordinal) < std::pair(b.depth, b.ordinal);
    }
  };

  api::EventBody body_of(EventRow row) const {
    return {std::move(row.event_id), room_.room_id, {std::move(row.json)}, room_.version, row.content_version};
  }

  void add(const EventId& event_id) {
    if (!seen_.insert(event_id).second) return;
    auto found = tables::find_event(session_, room_.number, event_id);
    if (!found || found->status == EventStatus::outlier || found->depth < request_.min_depth) return;
    left_.push(std::move(*found));
  }

  storage::Session& session_;
  const RoomRow& room_;
  const matrix::RoomVersion& version_;
  const api::ListEarlierEventsRequest& request_;
  const std::size_t limit_;
  std::set<EventId> seen_;
  std::optional<ServerView> view_;  ///< where one server asks
  std::priority_queue<EventRow, std::vector<EventRow>, IsHigher> left_;
};

}  // namespace

Result<api::GetEventsResponse> list_earlier_events(Environment& environment,
                                                   const api::ListEarlierEventsRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::GetEventsResponse> {
    const auto room = tables::find_room(session, request.room_id);
    if (!room) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    return Walk(session, *room, request).run();
  });
}

}  // namespace backplane::room_server
