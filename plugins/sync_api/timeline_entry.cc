#include "timeline_entry.h"

#include <algorithm>

namespace backplane::sync_api {
namespace {

/// What decides who may see the event. The words are ordered by how many that are, but for one who was invited and
/// never joined, and who sees no timeline at all.
matrix::HistoryVisibility visibility_of(const api::RoomEventRecord& record, const TimelineEntry& entry) {
  const auto before = matrix::history_visibility_from(record.history_visibility);
  if (entry.type != "m.room.history_visibility" || entry.state_key != "") return before;
  // Spec: Client-Server API, Room History Visibility, "For m.room.history_visibility events themselves, the user should
  // be allowed to see the event if the history_visibility before or after the event would allow them to see it."
  const auto content = json::find_raw(record.event.text, "content");
  return content ? std::min(before, matrix::history_visibility_in(*content)) : before;
}

}  // namespace

EntryPtr make_entry(const api::RoomEventRecord& record, log::Position position, EventPtr event) {
  using Kind = api::RoomEventKind;
  auto entry = std::make_shared<TimelineEntry>();
  switch (record.kind) {
    case Kind::new_event: entry->kind = EntryKind::timeline; break;
    case Kind::history: entry->kind = EntryKind::history; break;
    case Kind::state_changed:
    case Kind::state_rewritten:
      if (!record.state_change) return nullptr;
      entry->kind = EntryKind::state_change;
      break;
    default: return nullptr;
  }
  entry->sequence = entry->latest = position.sequence;
  entry->earliest = entry->kind == EntryKind::history ? 0 : position.sequence;
  entry->topological = record.topological;
  entry->event_id = record.event_id;
  entry->type = record.type;
  entry->sender = record.sender;
  if (record.state_change) {
    entry->state_key = record.state_change->state_key;
    if (entry->type.empty()) entry->type = record.state_change->type;
    if (entry->kind == EntryKind::state_change) entry->event_id = record.state_change->new_event_id;
  } else if (event != nullptr && event->event.state_key()) {
    entry->state_key = std::string(*event->event.state_key());
  } else if (!record.event.empty()) {
    entry->state_key = json::find_raw_string(record.event.text, "state_key");
  }
  entry->visibility = visibility_of(record, *entry);
  if (entry->kind != EntryKind::history) {
    entry->change = record.state_change;
    entry->membership = record.membership;
    entry->device = record.device;
    entry->transaction_id = record.transaction_id;
  }
  entry->event = std::move(event);
  return entry;
}

std::vector<EventId> ids_of(const std::vector<StateItem>& items) {
  std::vector<EventId> ids;
  ids.reserve(items.size());
  for (const StateItem& item : items) ids.push_back(item.event_id);
  return ids;
}

}  // namespace backplane::sync_api
