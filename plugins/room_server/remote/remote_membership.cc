#include "remote/remote_membership.h"

#include <utility>

#include "backplane/matrix/client_event.h"

namespace backplane::room_server {
namespace {

api::RoomEventKind kind_of(const RemoteMembershipRow& row) {
  if (row.membership == "invite") return api::RoomEventKind::invite;
  return row.membership == "knock" ? api::RoomEventKind::knock : api::RoomEventKind::retired;
}

}  // namespace

std::string remote_membership_payload(const RemoteMembershipRow& row, const std::string& before) {
  api::RoomEventRecord record;
  record.kind = kind_of(row);
  record.room_id = row.room_id;
  record.room_version = row.version;
  record.event_id = row.event_id;
  record.membership = api::MembershipChange{row.user, before, row.membership};
  record.stripped_state.text = row.stripped_state;
  return to_json(record);
}

Result<log::Position> store_remote_membership(Environment& environment, RemoteMembershipRow row) {
  BACKPLANE_TRY(chain, environment.lanes.chain_of(row.room_id));
  return environment.store.write(
      [&](storage::Write& write) {
        const auto before = tables::find_remote_membership(write, row.room_id, row.user);
        row.position = environment.publisher.publish(
            write, row.room_id.view(), remote_membership_payload(row, before ? before->membership : std::string()));
        tables::replace_remote_membership(write, row);
        return row.position;
      },
      chain);
}

Result<void> delete_remote_membership(Environment& environment, const RoomId& room_id, const UserId& user) {
  BACKPLANE_TRY(chain, environment.lanes.chain_of(room_id));
  return environment.store.write([&](storage::Write& write) { tables::delete_remote_membership(write, room_id, user); },
                                 chain);
}

std::string stripped_state_of(std::span<const json::Raw> events, const matrix::Event& own) {
  std::string out = "[";
  for (const json::Raw& raw : events) {
    const auto document = json::Document::parse(raw.text);
    if (!document || !document->root().is_object()) continue;
    const json::View event = document->root();
    const auto type = event.find_string("type"), state_key = event.find_string("state_key"),
               sender = event.find_string("sender");
    const auto content = event.find("content");
    if (!type || !state_key || !sender || !content || !content->is_object()) continue;
    if (type == "m.room.member" && state_key == own.state_key()) continue;
    out += "{\"content\":";
    content->append_canonical(out);
    for (const auto& [name, text] : {std::pair("sender", sender), {"state_key", state_key}, {"type", type}}) {
      out += ",\"" + std::string(name) + "\":";
      json::append_quoted(out, *text);
    }
    out += '}';
    out += ',';
  }
  matrix::append_stripped_state_event(out, own);
  out += ']';
  return out;
}

}  // namespace backplane::room_server
