#include "sync/write_room.h"

#include <map>

namespace backplane::sync_api {

namespace {

constexpr std::size_t heroes_shown = 5;

/// m.receipt's content (Client-Server API, "Receipts"): event → type → user. A user may have a receipt for the thread
/// and another for the room at one event, which one content cannot say: those go into a further one.
using ReceiptContent =
    std::map<std::string_view, std::map<std::string_view, std::map<std::string_view, const store::Receipt*>>>;

std::vector<ReceiptContent> arrange(const std::vector<store::Receipt>& receipts) {
  std::vector<ReceiptContent> contents;
  for (const store::Receipt& receipt : receipts) {
    std::size_t i = 0;
    for (;; ++i) {
      if (i == contents.size()) contents.emplace_back();
      if (contents[i][receipt.event_id.view()][receipt.type].try_emplace(receipt.user, &receipt).second) break;
    }
  }
  return contents;
}

void append_receipts(std::string& out, const ReceiptContent& content) {
  json::Writer writer(out);
  writer.begin_object().key("content").begin_object();
  for (const auto& [event_id, types] : content) {
    writer.key(event_id).begin_object();
    for (const auto& [type, users] : types) {
      writer.key(type).begin_object();
      for (const auto& [user, receipt] : users) {
        writer.key(user).begin_object();
        if (!receipt->thread.empty()) writer.member("thread_id", receipt->thread);
        writer.member("ts", receipt->ts).end_object();
      }
      writer.end_object();
    }
    writer.end_object();
  }
  writer.end_object().member("type", "m.receipt").end_object();
}

}  // namespace

void append_account_data(std::string& out, const AccountDataView& data) {
  out += "{\"content\":";
  out += data.content->empty() ? std::string_view("{}") : std::string_view(*data.content);
  out += ",\"type\":";
  json::append_quoted(out, data.type);
  out += '}';
}

void RoomWriter::room(const RoomPlan& plan, bool joined) const {
  out += '{';
  timeline(plan);
  out += ',';
  state(plan);
  if (plan.summary) summary(plan);
  if (joined) {
    ephemeral(plan);
    account_data(plan);
    out += R"(,"unread_notifications":{"highlight_count":0,"notification_count":0})";
  }
  out += '}';
}

ReaderParts RoomWriter::parts_for(const RoomPlan& plan, Sequence position, const TimelineEntry* entry) const {
  ReaderParts parts{.now_ms = work.now_ms, .membership = plan.membership_at(position)};
  // Spec: the transaction id is for the session that sent the event.
  if (entry != nullptr && !entry->transaction_id.empty() && entry->sender == work.request.user->user.view() &&
      entry->device == work.request.device) {
    parts.transaction_id = entry->transaction_id.view();
  }
  return parts;
}

void RoomWriter::timeline(const RoomPlan& plan) const {
  out += "\"timeline\":{\"events\":[";
  bool first = true;
  for (const EntryPtr& entry : plan.timeline) {
    const ClientEvent* event = work.body_of(*entry);
    if (event == nullptr || !work.filter.timeline.allows_content(event->event.content())) continue;
    if (!first) out += ',';
    first = false;
    append_event(out, *event, {}, parts_for(plan, entry->sequence, entry.get()));
  }
  out += plan.limited ? "],\"limited\":true,\"prev_batch\":\"" : "],\"limited\":false,\"prev_batch\":\"";
  out += PageToken::before(plan.start).encode();
  out += "\"}";
}

void RoomWriter::state(const RoomPlan& plan) const {
  out += work.request.use_state_after ? "\"state_after\":{\"events\":[" : "\"state\":{\"events\":[";
  out += plan.large_state;
  bool first = true;
  for (const StateItem& item : plan.state) {
    if (const ClientEvent* const event = work.body_of(item.event_id)) state_event(plan, item, *event, first);
  }
  out += "]}";
}

void RoomWriter::state_event(const RoomPlan& plan, const StateItem& item, const ClientEvent& event, bool& first) const {
  if (!work.filter.state.allows_sender(event.event.sender().view())) return;
  if (!work.filter.state.allows_content(event.event.content())) return;
  if (!first) out += ',';
  first = false;
  append_event(out, event, {}, parts_for(plan, item.since, nullptr));
}

void RoomWriter::summary(const RoomPlan& plan) const {
  out += ",\"summary\":";
  json::Writer writer(out);
  writer.begin_object();
  if (plan.heroes) {
    writer.key("m.heroes").begin_array();
    std::size_t shown = 0;
    for (const std::string& hero : plan.summary->heroes) {
      if (hero == work.request.user->user.view() || shown == heroes_shown) continue;
      ++shown;
      writer.string(hero);
    }
    writer.end_array();
  }
  writer.member("m.invited_member_count", plan.summary->invited);
  writer.member("m.joined_member_count", plan.summary->joined);
  writer.end_object();
}

void RoomWriter::ephemeral(const RoomPlan& plan) const {
  const RoomEventFilter& filter = work.filter.ephemeral;
  List events(out, ",\"ephemeral\":{\"events\":[", "]}");
  if (!filter.nothing() && filter.allows_room(plan.view.room->id.view())) {
    if (plan.view.typing && filter.allows_type("m.typing")) {
      events.next();
      json::Writer writer(out);
      writer.begin_object().key("content").begin_object().key("user_ids").begin_array();
      for (const UserId& user : *plan.view.typing) writer.string(user.view());
      writer.end_array().end_object().member("type", "m.typing").end_object();
    }
    if (!plan.receipts.empty() && filter.allows_type("m.receipt")) {
      for (const ReceiptContent& content : arrange(plan.receipts)) {
        events.next();
        append_receipts(out, content);
      }
    }
  }
  events.end();
}

void RoomWriter::account_data(const RoomPlan& plan) const {
  const RoomEventFilter& filter = work.filter.room_account_data;
  List events(out, ",\"account_data\":{\"events\":[", "]}");
  if (filter.allows_room(plan.view.room->id.view())) {
    for (const AccountDataView& data : plan.view.account_data) {
      if (!filter.allows_type(data.type)) continue;
      events.next();
      append_account_data(out, data);
    }
  }
  events.end();
}

}  // namespace backplane::sync_api
