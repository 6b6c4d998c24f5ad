#include "input/new_event.h"

#include <array>
#include <utility>

#include "backplane/base/encoding.h"

namespace backplane::room_server {
namespace {

constexpr std::string_view member_type = "m.room.member";
/// Records carry larger events by reference.
constexpr std::size_t max_event_in_record = 64 * 1024;

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

/// The event with what this server adds: `unsigned` is the last key in canonical order.
std::string with_unsigned(const matrix::Event& event, const matrix::Event& replaced) {
  std::string text(event.json());
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

std::string membership_word(const std::optional<HeadState>& entry) {
  return entry ? std::string(to_string(entry->membership)) : std::string();
}

StateRow state_row(const matrix::Event& event, const HeadState& entry) {
  const bool member = event.type() == member_type;
  return {std::string(event.type()),
          std::string(*event.state_key()),
          entry.event_id,
          entry.ordinal,
          entry.since,
          member ? std::string(to_string(entry.membership)) : std::string(),
          entry.left_at};
}

/// What databases have no form for, or JSON: it may come from a path.
bool is_text(std::string_view text) { return text.find('\0') == std::string_view::npos && is_utf8(text); }

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
    if (!value && field == SummaryField::join_rule) value = "private";
    if (!value && field == SummaryField::history_visibility) value = "shared";
    changes.push_back({field, std::move(value)});
  }
}

void store_states(storage::Write& write, RoomNumber room, std::span<const NewEvent> events) {
  std::vector<const StateRow*> added;
  for (const NewEvent& event : events) {
    if (!event.state) continue;
    if (!event.replaced) {
      added.push_back(&*event.state);
      continue;
    }
    // What it comes in the place of may be one of these.
    tables::insert_states(write, room, added);
    added.clear();
    tables::replace_state(write, room, *event.replaced, *event.state);
  }
  tables::insert_states(write, room, added);
}

}  // namespace

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

Result<NewEvent> make_event(Environment& environment, RoomHead& head, matrix::EventDraft draft,
                            const matrix::Event& replaced, Origin origin) {
  BACKPLANE_CHECK(check_texts(draft, origin));
  draft.room_id = head.room_id();
  draft.prev_events = head.prev_events();
  draft.depth = head.next_depth();
  if (draft.origin_server_ts == 0) draft.origin_server_ts = environment.clock.wall_ms();
  BACKPLANE_CHECK(check_draft(environment, head, draft));
  draft.auth_events = head.auth_events(matrix::AuthSubject::of(draft));
  auto built = matrix::build_event(draft, head.version(), *environment.signing_key);
  if (!built) {
    environment.meters.rejected_as_invalid.add();
    return std::move(built).error();
  }

  NewEvent out;
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
  const std::optional<HeadState> before = head.apply(out.event);
  if (!out.event.is_state()) return out;
  const HeadState& now = *head.find(out.event.type(), *out.event.state_key());
  out.state = state_row(out.event, now);
  if (before) {
    out.row.replaces = before->event_id;
    out.replaced = state_row(out.event, *before);
  }
  if (out.event.type() == member_type) {
    out.row.membership_before = membership_word(before);
    out.row.membership_after = out.state->membership;
    if (head.joined_members() != joined_before) out.joined_members = head.joined_members();
  }
  return out;
}

std::string record_payload(const RoomRow& room, const EventRow& event) {
  api::RoomEventRecord record;
  record.kind = api::RoomEventKind::new_event;
  record.room_id = room.room_id;
  record.room_version = room.version;
  record.event_id = event.event_id;
  if (event.json.size() <= max_event_in_record) record.event.text = event.json;
  record.content_version = event.content_version;
  record.topological = event.depth;
  record.type = event.type;
  record.sender = event.sender;
  if (event.state_key) {
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

log::Position store_events(Environment& environment, storage::Write& write, const RoomRow& room,
                           std::span<NewEvent> events) {
  std::vector<const EventRow*> rows;
  std::vector<SummaryChange> summary;
  std::optional<std::int64_t> joined_members;
  for (NewEvent& event : events) {
    event.row.position = environment.publisher.publish(write, room.room_id.view(), record_payload(room, event.row));
    rows.push_back(&event.row);
    if (event.joined_members) joined_members = event.joined_members;
    if (event.state) add_summary(summary, event.row.type, event.state->state_key, event.event.content());
  }
  tables::insert_events(write, room.number, rows);
  store_states(write, room.number, events);
  tables::update_summary(write, room.number, summary, joined_members);
  return events.back().row.position;
}

}  // namespace backplane::room_server
