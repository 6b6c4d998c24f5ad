#include "input/new_event.h"

#include <array>
#include <utility>

#include "backplane/base/encoding.h"
#include "backplane/matrix/event_hash.h"

namespace backplane::room_server {
namespace {

constexpr std::string_view member_type = "m.room.member";

struct Summarized {
  std::string_view type;
  std::string_view member;
  SummaryField field;
};
/// What the room directory shows, and the content it comes from.
constexpr std::array<Summarized, 7> summarized{
    {{"m.room.join_rules", "join_rule", SummaryField::join_rule},
     {"m.room.history_visibility", "history_visibility", SummaryField::history_visibility},
     {"m.room.guest_access", "guest_access", SummaryField::guest_access},
     {"m.room.name", "name", SummaryField::name},
     {"m.room.topic", "topic", SummaryField::topic},
     {"m.room.avatar", "url", SummaryField::avatar_url},
     {"m.room.canonical_alias", "alias", SummaryField::canonical_alias}}};

std::string membership_word(const std::optional<HeadState>& entry) {
  return entry ? std::string(to_string(entry->membership)) : std::string();
}

Result<void> check_texts(const matrix::EventDraft& draft, const Origin& origin) {
  if (is_text(draft.type) && is_text(draft.state_key.value_or("")) && is_text(origin.device.view()) &&
      is_text(origin.transaction_id.view())) {
    return {};
  }
  return invalid("invalid_param", "a type, state_key, device or transaction id is no UTF-8, or holds U+0000");
}

void add_summary(std::vector<SummaryChange>& changes, std::string_view type, std::string_view state_key,
                 std::string_view content) {
  if (!state_key.empty()) return;
  for (const auto& [summarized_type, member, field] : summarized) {
    if (type != summarized_type) continue;
    auto value = json::find_raw_string(content, member);
    if (value && !is_text(*value)) value.reset();
    if (!value && field == SummaryField::join_rule) value = "private";
    if (!value && field == SummaryField::history_visibility) value = "shared";
    changes.push_back({field, std::move(value)});
  }
}

void store_states(storage::Write& write, RoomNumber room, std::span<const NewEvent> events) {
  std::vector<const StateRow*> added;
  for (const NewEvent& event : events) {
    for (const CurrentState& state : event.states) {
      if (state.is_new) {
        added.push_back(&state.row);
        continue;
      }
      // What it comes in the place of may be one of these.
      tables::insert_states(write, room, added);
      added.clear();
      tables::replace_state(write, room, state.row);
    }
  }
  tables::insert_states(write, room, added);
}

/// What others are told of an event that has a position. What it changed beside itself comes first: who sees the room
/// from the event on, as one who has just come in does, finds the room's state before it.
std::optional<log::Position> publish(Environment& environment, storage::Write& write, const RoomRow& room,
                                     NewEvent& event) {
  std::optional<log::Position> last;
  const auto publish = [&](std::string record) {
    last = environment.publisher.publish(write, room.room_id.view(), std::move(record));
    return *last;
  };
  for (const std::string& record : event.state_changes)
    tables::insert_state_change(write, room.number, {publish(record), record});
  if (is_published(event.row.status)) event.row.position = publish(record_payload(room, event.row));
  return last;
}

void store_place(storage::Write& write, RoomNumber room, const NewEvent& event) {
  if (event.was_outlier) tables::replace_place(write, room, event.row);
  if (!event.missing.empty()) tables::insert_backward_extremities(write, room, event.missing, event.row.ordinal);
  if (event.was_missing) tables::delete_backward_extremity(write, room, event.row.event_id);
  if (!event.redacts_later.empty())
    tables::insert_waiting_redaction(write, room, event.redacts_later, event.row.ordinal);
  if (event.was_awaited) tables::delete_waiting_redactions(write, room, event.row.event_id);
}

/// Room versions 1 and 2: events name others with their hashes.
Result<void> add_hashes(Environment& environment, RoomHead& head, std::span<const HeadState* const> auth_entries,
                        matrix::EventDraft& draft) {
  for (const Tip* const tip : head.next_prev_events())
    draft.prev_event_hashes.push_back(matrix::reference_hash(tip->event.json(), head.version()));
  for (const HeadState* const entry : auth_entries) {
    if (!entry->event) {
      // Where it is not in memory it is committed.
      BACKPLANE_TRY(row, environment.store.read([&](storage::Session& session) {
        return tables::find_event(session, head.room().number, entry->ordinal);
      }));
      if (!row) return internal_error("a state event of " + head.room_id().str() + " is not stored");
      head.put_event(matrix::Event::from_stored(std::move(row->json), std::move(row->event_id), head.version()));
    }
    draft.auth_event_hashes.push_back(matrix::reference_hash(entry->event.json(), head.version()));
  }
  return {};
}

}  // namespace

bool is_text(std::string_view text) { return text.find('\0') == std::string_view::npos && is_utf8(text); }

std::string with_unsigned(const matrix::Event& event, const matrix::Event& replaced) {
  std::string text(event.json());
  // It is the last key in canonical order.
  if (!replaced) return text;
  text.pop_back();
  text.reserve(text.size() + replaced.content().size() + 256);
  text += ",\"unsigned\":{\"prev_content\":";
  text += replaced.content();
  text += ",\"prev_sender\":";
  json::append_quoted(text, replaced.sender().view());
  text += ",\"replaces_state\":";
  json::append_quoted(text, replaced.event_id().view());
  text += "}}";
  return text;
}

StateRow state_row(std::string_view type, std::string_view state_key, const HeadState& entry) {
  const bool is_member = type == member_type && entry.ordinal != 0;
  return {std::string(type), std::string(state_key),
          entry.event_id,    entry.number,
          entry.ordinal,     is_member ? std::string(to_string(entry.membership)) : std::string(),
          entry.left_at};
}

Result<void> check_draft(Environment& environment, const RoomHead& head, const matrix::EventDraft& draft) {
  const auto rejection = matrix::check_auth_rules(matrix::AuthSubject::of(draft), head.version(), head);
  if (!rejection) return {};
  environment.meters.rejected_by_auth_rules.add();
  environment.logger.debug("rejected event", {{"room_id", head.room_id().view()},
                                              {"room_version", head.version().id},
                                              {"type", draft.type},
                                              {"sender", draft.sender.view()},
                                              {"rule", rejection->rule}});
  return matrix::to_error(*rejection);
}

void complete_draft(Environment& environment, const RoomHead& head, matrix::EventDraft& draft) {
  draft.room_id = head.room_id();
  draft.prev_events.clear();
  for (const Tip* const tip : head.next_prev_events()) draft.prev_events.push_back(tip->event_id);
  if (draft.event_id.empty() && head.version().event_format == matrix::EventFormat::event_id_in_event)
    draft.event_id = matrix::new_event_id(environment.server_name, environment.random);
}

Result<std::vector<const HeadState*>> place_draft(Environment& environment, RoomHead& head, matrix::EventDraft& draft) {
  complete_draft(environment, head, draft);
  draft.depth = head.next_depth();
  if (draft.origin_server_ts == 0) draft.origin_server_ts = environment.clock.wall_ms();
  BACKPLANE_CHECK(check_draft(environment, head, draft));
  auto auth_entries = head.auth_entries(matrix::AuthSubject::of(draft));
  for (const HeadState* const entry : auth_entries) draft.auth_events.push_back(entry->event_id);
  if (head.version().event_format == matrix::EventFormat::event_id_in_event)
    BACKPLANE_CHECK(add_hashes(environment, head, auth_entries, draft));
  return auth_entries;
}

Result<NewEvent> make_event(Environment& environment, RoomHead& head, matrix::EventDraft draft,
                            const matrix::Event& replaced, Origin origin) {
  BACKPLANE_CHECK(check_texts(draft, origin));
  BACKPLANE_TRY(auth_entries, place_draft(environment, head, draft));
  auto built = matrix::build_event(draft, head.version(), *environment.signing_key);
  if (!built) {
    environment.meters.rejected_as_invalid.add();
    return std::move(built).error();
  }

  NewEvent out;
  if (draft.state_key) {
    out.state_event.emplace().ordinal = static_cast<std::uint32_t>(head.next_ordinal());
    for (const HeadState* const entry : auth_entries)
      out.state_event->auth_events.push_back(static_cast<std::uint32_t>(entry->ordinal));
  }
  out.event = std::move(*built);
  out.row.ordinal = head.next_ordinal();
  out.row.event_id = out.event.event_id();
  out.row.depth = out.event.depth();
  out.row.type = std::move(draft.type);
  out.row.state_key = std::move(draft.state_key);
  out.row.sender = draft.sender.str();
  out.row.history_visibility = to_string(head.history_visibility());
  out.row.device = std::move(origin.device);
  out.row.transaction_id = std::move(origin.transaction_id);
  out.row.json = with_unsigned(out.event, replaced);

  const std::int64_t joined_before = head.joined_members();
  const bool is_new = out.event.is_state() && head.find_number(out.event.type(), *out.event.state_key()) == 0;
  out.before = head.snapshot();
  const std::optional<HeadState> before = head.apply(out.event);
  out.after = head.snapshot();
  out.row.state_before = out.before ? out.before->number() : 0;
  out.row.state_after = out.after->number();
  out.forward_extremities = head.take_changed_extremities();
  if (!out.event.is_state()) return out;
  out.snapshots.push_back(head.snapshot());
  const HeadState& now = *head.find(out.event.type(), *out.event.state_key());
  out.state_event->number = now.number;
  head.add_state_event(*out.state_event);
  out.row.became_current = true;
  if (before) out.row.replaces = before->event_id;
  if (out.event.type() == member_type) {
    out.row.membership_before = membership_word(before);
    out.row.membership_after = to_string(now.membership);
    if (head.joined_members() != joined_before) out.joined_members = head.joined_members();
  }
  out.states.push_back({state_row(out.event.type(), *out.event.state_key(), now), is_new, out.event});
  return out;
}

std::string record_payload(const RoomRow& room, const EventRow& event) {
  api::RoomEventRecord record;
  record.kind = event.status == EventStatus::history ? api::RoomEventKind::history : api::RoomEventKind::new_event;
  record.room_id = room.room_id;
  record.room_version = room.version;
  record.event_id = event.event_id;
  if (event.json.size() <= matrix::max_event_bytes) record.event.text = event.json;  // else by reference
  record.content_version = event.content_version;
  record.topological = event.depth;
  record.type = event.type;
  record.sender = event.sender;
  if (event.became_current) {
    record.state_change = api::StateChange{event.type, *event.state_key, event.replaces, event.event_id};
    if (event.type == member_type) {
      record.membership =
          api::MembershipChange{UserId(*event.state_key), event.membership_before, event.membership_after};
    }
  }
  record.history_visibility = event.history_visibility;
  record.device = event.device;
  record.transaction_id = event.transaction_id;
  return to_json(record);
}

void store_summary(storage::Write& write, RoomNumber room, std::string_view type, std::string_view state_key,
                   std::string_view content) {
  std::vector<SummaryChange> changes;
  add_summary(changes, type, state_key, content);
  tables::update_summary(write, room, changes, std::nullopt);
}

std::optional<log::Position> store_events(Environment& environment, storage::Write& write, const RoomRow& room,
                                          std::span<NewEvent> events, ChangedBodies& changed) {
  std::optional<log::Position> last;
  std::vector<const EventRow*> rows;
  std::vector<tables::IdentifiedStateEvent> state_events;
  std::vector<const StateSnapshot*> snapshots;
  std::vector<SummaryChange> summary;
  std::optional<std::int64_t> joined_members;
  const ForwardExtremities* extremities = nullptr;
  for (NewEvent& event : events) {
    if (const auto position = publish(environment, write, room, event)) last = position;
    if (!event.was_outlier) {
      rows.push_back(&event.row);
      if (event.state_event) state_events.push_back({event.row.event_id, *event.state_event});
    }
    for (const StateSnapshotPointer& snapshot : event.snapshots) snapshots.push_back(snapshot.get());
    if (event.joined_members) joined_members = event.joined_members;
    if (event.forward_extremities) extremities = &*event.forward_extremities;
    for (const CurrentState& state : event.states)
      add_summary(summary, state.row.type, state.row.state_key, state.event ? state.event.content() : "{}");
  }
  tables::insert_events(write, room.number, rows, environment.clock.wall_ms());
  for (const NewEvent& event : events) store_place(write, room.number, event);  // an outlier may be one of those rows
  tables::insert_state_events(write, room.number, state_events);
  tables::insert_snapshots(write, room.number, snapshots);
  store_states(write, room.number, events);
  tables::update_summary(write, room.number, summary, joined_members);
  if (extremities != nullptr) tables::replace_forward_extremities(write, room.number, *extremities);
  changed.clear();
  for (const NewEvent& event : events) {
    if (!event.redacts) continue;
    if (const auto position = apply_redaction(environment, write, room, *event.redacts, event.event, changed))
      last = position;
  }
  return last;
}

}  // namespace backplane::room_server
