// The answer's text. Events are spliced as they are; nothing is parsed here.
#include <algorithm>

#include "sync/assembler_work.h"
#include "sync/write_room.h"

namespace backplane::sync_api {

using matrix::Membership;

void Assembler::write(Work& work, SyncAnswer& answer) const {
  std::string& out = answer.body;
  std::size_t expected = 512;
  for (const RoomPlan& plan : work.plans) {
    expected += 800 + plan.state.size() * 400 + plan.large_state.size();
    for (const EntryPtr& entry : plan.timeline) expected += 200 + (entry->event ? entry->event->body.size() : 400);
  }
  out.reserve(expected);
  out += "{\"next_batch\":\"";
  out += work.view.now.encode();
  out += '"';

  const std::size_t before = out.size();
  List global(out, ",\"account_data\":{\"events\":[", "]}");
  for (const AccountDataView& data : work.view.account_data) {
    if (!work.filter.account_data.allows_type(data.type) || work.filter.account_data.senders) continue;
    global.next();
    append_account_data(out, data);
  }
  global.end();
  write_rooms(work, out);
  List messages(out, ",\"to_device\":{\"events\":[", "]}");
  for (const DeviceStream::Message& message : work.view.to_device) {
    messages.next();
    out += *message.body;
  }
  messages.end();
  answer.empty = out.size() == before;
  out += '}';
}

void Assembler::write_rooms(Work& work, std::string& out) const {
  List rooms(out, ",\"rooms\":{", "}");
  // A section is there when it has rooms.
  const auto section = [&](std::string_view opening, auto write_all) {
    const std::size_t mark = out.size();
    const bool was_open = rooms.open();
    rooms.next();
    List list(out, opening, "}");
    write_all(list);
    if (list.end()) return;
    out.resize(mark);
    if (!was_open) rooms.close();
  };
  const auto begin_room = [&](List& list, const RoomId& room) {
    list.next();
    json::append_quoted(out, room.view());
    out += ':';
  };
  const RoomWriter writer{work, out};
  section("\"join\":{", [&](List& list) {
    for (const RoomPlan& plan : work.plans) {
      if (plan.view.membership != Membership::join) continue;
      begin_room(list, plan.view.room->id);
      writer.room(plan, true);
    }
  });
  section("\"leave\":{", [&](List& list) {
    for (const RoomPlan& plan : work.plans) {
      if (plan.view.membership == Membership::join) continue;
      begin_room(list, plan.view.room->id);
      writer.room(plan, false);
    }
    for (const InvitePlan& invite : work.invites) {
      if (invite.membership != Membership::leave) continue;
      begin_room(list, invite.room_id);
      out += R"({"state":{"events":[]},"timeline":{"events":[],"limited":false}})";
    }
  });
  for (const bool knock : {false, true}) {
    section(knock ? "\"knock\":{" : "\"invite\":{", [&](List& list) {
      for (const InvitePlan& invite : work.invites) {
        if (invite.membership != (knock ? Membership::knock : Membership::invite)) continue;
        begin_room(list, invite.room_id);
        out += knock ? R"({"knock_state":{"events":[)" : R"({"invite_state":{"events":[)";
        if (invite.stripped) {
          std::string_view array = *invite.stripped;
          if (array.size() >= 2) out += array.substr(1, array.size() - 2);
        } else {
          bool first = true;
          for (const EventId& id : invite.events) {
            const ClientEvent* event = work.body_of(id);
            if (event == nullptr) continue;
            if (!first) out += ',';
            first = false;
            matrix::append_stripped_state_event(out, event->event);
          }
        }
        out += "]}}";
      }
    });
  }
  rooms.end();
}

}  // namespace backplane::sync_api
