#include "remote/finish_template.h"

#include <algorithm>
#include <utility>

#include "backplane/base/encoding.h"
#include "backplane/matrix/event_builder.h"
#include "input/restricted_join.h"

namespace backplane::room_server {
namespace {

Error bad_template(const std::string& text) {
  return incomplete("bad_answer", "the other server's template of the event " + text);
}

/// As the event format has them: ids, or in room versions 1 and 2 pairs of an id and hashes.
Result<void> read_references(json::View list, const matrix::RoomVersion& version, std::vector<EventId>& ids,
                             std::vector<Sha256>& hashes) {
  const bool with_hashes = version.event_format == matrix::EventFormat::event_id_in_event;
  for (const json::View element : list.elements()) {
    std::optional<std::string_view> id = element.as_string();
    if (with_hashes) {
      const auto pair = element.is_array() ? element.elements() : std::vector<json::View>();
      const auto hash = pair.size() == 2 && pair[1].is_object() ? pair[1].find_string("sha256") : std::nullopt;
      const auto bytes = hash ? decode_base64(*hash) : std::nullopt;
      if (!bytes || bytes->size() != Sha256().size()) return bad_template("names events without their hashes");
      std::ranges::copy(*bytes, hashes.emplace_back().begin());
      id = pair[0].as_string();
    }
    if (!id || !matrix::parse_event_id(*id)) return bad_template("names what is no event");
    ids.emplace_back(std::string(*id));
  }
  return {};
}

/// The event is of what was asked for, whatever else the other server says.
bool is_of(json::View event, const TemplateWish& wish) {
  const auto content = event.find("content");
  return event.find_string("type") == "m.room.member" && event.find_string("room_id") == wish.room_id.view() &&
         event.find_string("sender") == wish.user.view() && event.find_string("state_key") == wish.user.view() &&
         content && content->is_object() && content->find_string("membership") == to_string(wish.membership);
}

}  // namespace

Result<matrix::Event> finish_template(Environment& environment, const json::Raw& event_template,
                                      const matrix::RoomVersion& version, const TemplateWish& wish) {
  const auto document = json::Document::parse(event_template.text);
  if (!document || !document->root().is_object()) return bad_template("is no JSON object");
  const json::View root = document->root();
  if (!is_of(root, wish)) return bad_template("is of another event");
  const auto prev_events = root.find("prev_events"), auth_events = root.find("auth_events");
  if (!prev_events || !prev_events->is_array() || !auth_events || !auth_events->is_array())
    return bad_template("does not say what the event follows");

  matrix::EventDraft draft;
  draft.room_id = wish.room_id;
  draft.sender = wish.user;
  draft.type = "m.room.member";
  draft.state_key = wish.user.str();
  BACKPLANE_CHECK(read_references(*prev_events, version, draft.prev_events, draft.prev_event_hashes));
  BACKPLANE_CHECK(read_references(*auth_events, version, draft.auth_events, draft.auth_event_hashes));
  draft.depth = std::max<std::int64_t>(root.find_integer("depth").value_or(0), 0);
  draft.origin_server_ts = environment.clock.wall_ms();
  Content content = wish.content;
  const auto authoriser = root.find("content")->find_string(authoriser_key);
  if (wish.membership == matrix::Membership::join && authoriser) content.set(authoriser_key, *authoriser);
  draft.content = content.canonical();
  if (version.event_format == matrix::EventFormat::event_id_in_event)
    draft.event_id = matrix::new_event_id(environment.server_name, environment.random);
  return matrix::build_event(draft, version, *environment.signing_key);
}

}  // namespace backplane::room_server
