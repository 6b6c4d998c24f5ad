// The snapshot of topic room_events: the records as they were published, made anew from the rows, in order of position.
#include <algorithm>
#include <utility>

#include "input/input.h"
#include "query/query.h"
#include "remote/remote_membership.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t max_page = 5000;

}  // namespace

Result<api::ListRecordsResponse> list_room_events(Environment& environment, const api::ListRecordsRequest& request) {
  const auto after = log::Positions::decode(request.after.empty() ? "0" : request.after);
  if (!after) return invalid("invalid_param", "'" + request.after + "' is no position");
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, max_page);
  return environment.store.read([&](storage::Session& session) {
    // What is committed later comes by the log.
    const log::Positions head = environment.publisher.head(session);
    api::ListRecordsResponse response;
    response.as_of = head.encode();
    // As many of each as may be needed
    for (ForgottenRow& row : tables::list_forgotten_by_sequence(session, after->base(), head.highest(), limit + 1)) {
      response.records.push_back(
          {row.room.room_id.str(), row.position, {forgotten_payload(row.room, row.user, row.membership)}});
    }
    for (const RemoteMembershipRow& row :
         tables::list_remote_memberships_by_sequence(session, after->base(), head.highest(), limit + 1)) {
      response.records.push_back({row.room_id.str(), row.position, {remote_membership_payload(row, "")}});
    }
    tables::each_state_change_by_sequence(
        session, after->base(), head.highest(), limit + 1, [&](const RoomId& room_id, StateChangeRow change) {
          response.records.push_back({room_id.str(), change.position, {std::move(change.record)}});
        });
    const bool only_events = response.records.empty();
    tables::each_event_by_sequence(
        session, after->base(), head.highest(), limit + 1, [&](const RoomRow& room, EventRow&& event) {
          response.records.push_back({room.room_id.str(), event.position, {record_payload(room, event)}});
        });
    if (!only_events) {
      std::ranges::sort(response.records, {}, [](const auto& record) { return record.position.sequence; });
    }
    response.last = response.records.size() <= limit;
    if (!response.last) response.records.resize(limit);
    return response;
  });
}

}  // namespace backplane::room_server
