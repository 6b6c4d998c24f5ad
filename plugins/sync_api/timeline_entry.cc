#include "timeline_entry.h"

namespace backplane::sync_api {

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
  entry->sequence = position.sequence;
  entry->topological = record.topological;
  entry->visibility = matrix::history_visibility_from(record.history_visibility);
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
  if (entry->kind != EntryKind::history) {
    entry->change = record.state_change;
    entry->membership = record.membership;
    entry->device = record.device;
    entry->transaction_id = record.transaction_id;
  }
  entry->event = std::move(event);
  return entry;
}

}  // namespace backplane::sync_api
