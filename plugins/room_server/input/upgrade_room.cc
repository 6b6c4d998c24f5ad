// A room in the place of another. First the new one is made, whole; then the old one is closed, and what led to it
// leads to the new one, in one transaction. Who is interrupted in between has a room too many, and may begin again.
#include <algorithm>
#include <utility>

#include "input/content.h"
#include "input/input.h"
#include "input/submission.h"

namespace backplane::room_server {
namespace {

/// Spec: Client-Server API, "Room Upgrades", "Server behaviour", 3. The power levels go their own way.
constexpr std::array<std::string_view, 9> carried{
    "m.room.server_acl",   "m.room.encryption",         "m.room.name",       "m.room.avatar",         "m.room.topic",
    "m.room.guest_access", "m.room.history_visibility", "m.room.join_rules", "m.room.canonical_alias"};

/// What the new room is made of.
struct Plan {
  api::CreateRoomRequest request;
  std::optional<std::string> power_levels;
  EventId tombstone;  ///< of the old room, when it has one already
};

class Upgrade {
 public:
  Upgrade(Environment& environment, const api::UpgradeRoomRequest& request, const matrix::RoomVersion& version)
      : environment_(environment), request_(request), version_(version) {}

  Result<api::UpgradeRoomResponse> run() {
    BACKPLANE_TRY(plan, make_plan());
    BACKPLANE_TRY(created, create_room(environment_, plan.request, plan.power_levels));
    BACKPLANE_TRY(replacement, environment_.store.read([&](storage::Session& session) {
      return tables::find_room(session, created.room_id);
    }));
    if (!replacement) return not_found("unknown_room", "the new room " + created.room_id.str() + " is gone already");
    BACKPLANE_TRY(closed, submit_in_lane(environment_, request_.room_id, {},
                                         [&](LaneGuard& lane) { return close(lane, *replacement, plan.tombstone); }));
    return api::UpgradeRoomResponse{created.room_id, closed.position};
  }

 private:
  matrix::EventDraft draft(std::string_view type, std::string content) const {
    matrix::EventDraft event;
    event.sender = request_.user.user;
    event.type = type;
    event.state_key = "";
    event.content = std::move(content);
    return event;
  }

  Result<Plan> make_plan() {
    BACKPLANE_TRY(lane, environment_.lanes.enter(request_.room_id));
    const RoomHead& head = lane.head();
    matrix::EventDraft tombstone = draft("m.room.tombstone", "{}");
    complete_draft(environment_, head, tombstone);
    BACKPLANE_CHECK(check_draft(environment_, head, tombstone));

    Plan plan;
    if (const HeadState* const entry = head.find("m.room.tombstone", "")) plan.tombstone = entry->event_id;
    plan.request.creator = request_.user;
    plan.request.device = request_.device;
    plan.request.room_version = version_.id;
    plan.request.preset = "private_chat";
    plan.request.creation_content.text = creation_content(head);
    for (const std::string_view type : carried) {
      const HeadState* const entry = head.find(type, "");
      if (entry == nullptr) continue;
      BACKPLANE_TRY(event, lane.event_of(*entry));
      // Old versions allow numbers that new ones do not.
      if (canonical_event_content({std::string(event.content())}))
        plan.request.initial_state.push_back({std::string(type), "", {std::string(event.content())}});
    }
    // Where the old room says nothing, the preset is not to say something else.
    if (head.find("m.room.guest_access", "") == nullptr)
      plan.request.initial_state.push_back({"m.room.guest_access", "", {R"({"guest_access":"forbidden"})"}});
    if (const HeadState* const levels = head.find("m.room.power_levels", ""))
      plan.power_levels = power_levels(levels->event.content(), head);
    return plan;
  }

  std::string creation_content(const RoomHead& head) const {
    const HeadState* const create = head.find("m.room.create", "");
    const Content before = Content::parse_canonical(create != nullptr ? create->event.content() : "{}");
    Content content;
    for (const std::string_view name : {"m.federate", "type"}) {
      if (const auto value = before.find_raw(name)) content.set_raw(name, std::string(*value));
    }
    Content predecessor;
    predecessor.set("room_id", head.room_id().view());
    const auto last = std::ranges::max_element(head.tips(), {}, &Tip::depth);
    if (last != head.tips().end()) predecessor.set("event_id", last->event_id.view());
    content.set_raw("predecessor", predecessor.canonical());
    if (version_.privileged_creators && !request_.additional_creators.empty())
      content.set_raw("additional_creators", to_json(request_.additional_creators));
    return content.canonical();
  }

  bool is_creator(std::string_view user) const {
    return user == request_.user.user.view() ||
           std::ranges::find(request_.additional_creators, user, &UserId::view) != request_.additional_creators.end();
  }

  /// As the new version wants them: whole numbers, and from room version 12 on no creators among the users. Before it
  /// they are users who have all levels.
  std::string power_levels(std::string_view content, const RoomHead& old) const {
    constexpr std::int64_t highest = (std::int64_t{1} << 53) - 1;  // of canonical JSON
    Content out;
    const auto document = json::Document::parse_object(content);
    if (!document) return out.canonical();
    std::int64_t all = 100;
    const auto level = [&](Content& to, std::string_view name, json::View value) {
      const auto number = matrix::power_level_of(value, old.version());
      if (!number) return;
      const std::int64_t taken = std::clamp(*number, -highest, highest);
      all = std::max(all, taken);
      to.set_raw(name, std::to_string(taken));
    };
    for (const auto& [name, value] : document->root().members()) {
      if (!value.is_object()) {
        level(out, name, value);
        continue;
      }
      Content levels;
      for (const auto& [key, inner] : value.members()) {
        if (name == "users" && version_.privileged_creators && is_creator(key)) continue;
        level(levels, key, inner);
      }
      out.set_raw(name, levels.canonical());
    }
    if (old.version().privileged_creators && !version_.privileged_creators && old.creation() != nullptr) {
      Content users = Content::parse_canonical(out.find_raw("users").value_or("{}"));
      for (const UserId& creator : old.creation()->creators) users.set_raw(creator.view(), std::to_string(all));
      out.set_raw("users", users.canonical());
    }
    return out.canonical();
  }

  Result<Attempt> close(LaneGuard& lane, const RoomRow& replacement, const EventId& known_tombstone) {
    RoomHead& head = lane.head();
    const HeadState* const tombstone = head.find("m.room.tombstone", "");
    if (tombstone != nullptr && tombstone->event_id != known_tombstone)
      return conflict("room_upgraded", "somebody else has replaced the room meanwhile");
    std::vector<NewEvent> events;
    // What the user may not do, or not any more once the room is closed, is left as it is.
    const auto try_to_add = [&](std::string_view type, std::string content) -> Result<void> {
      matrix::Event replaced;
      if (const HeadState* const entry = head.find(type, "")) {
        BACKPLANE_TRY(event, lane.event_of(*entry));
        replaced = event;
      }
      auto made = make_event(environment_, head, draft(type, std::move(content)), replaced, {request_.device, {}});
      if (made) events.push_back(std::move(*made));
      else if (made.error().code != ErrorCode::denied || type == "m.room.tombstone") return std::move(made).error();
      return {};
    };
    const auto add_all = [&]() -> Result<void> {
      BACKPLANE_CHECK(try_to_add("m.room.tombstone", Content()
                                                         .set("body", "This room has been replaced")
                                                         .set("replacement_room", replacement.room_id.view())
                                                         .canonical()));
      if (head.find("m.room.canonical_alias", "") != nullptr)
        BACKPLANE_CHECK(try_to_add("m.room.canonical_alias", "{}"));
      // Without that event everybody has what it would take away, but for the creator, who would lose it too.
      if (head.find("m.room.power_levels", "") == nullptr) return {};
      return try_to_add("m.room.power_levels", closed_power_levels(head));
    };
    if (auto added = add_all(); !added) {
      if (!events.empty()) lane.spoil();
      return std::move(added).error();
    }
    const RoomNumber old = head.room().number;
    return Attempt{submit_events(environment_, lane, std::move(events), {},
                                 [old, now = replacement.number](storage::Write& write) {
                                   tables::move_aliases(write, old, now);
                                   if (!tables::is_published(write, old)) return;
                                   tables::set_published(write, old, false);
                                   tables::set_published(write, now, true);
                                 }),
                   {},
                   {}};
  }

  /// Spec: 6: nobody is to say anything or to invite anybody there.
  static std::string closed_power_levels(const RoomHead& head) {
    const matrix::PowerLevels& now = head.power_levels();
    Content levels = Content::parse_canonical(head.find("m.room.power_levels", "")->event.content());
    const std::int64_t closed = std::max<std::int64_t>(50, now.of_user("") + 1);
    return levels
        .set_raw("events_default",
                 std::to_string(std::max(closed, now.get(matrix::PowerLevels::Property::events_default))))
        .set_raw("invite", std::to_string(std::max(closed, now.invite())))
        .canonical();
  }

  Environment& environment_;
  const api::UpgradeRoomRequest& request_;
  const matrix::RoomVersion& version_;
};

}  // namespace

Result<api::UpgradeRoomResponse> upgrade_room(Environment& environment, const api::UpgradeRoomRequest& request) {
  const matrix::RoomVersion* const version = matrix::find_room_version(request.new_version);
  if (version == nullptr)
    return invalid("unsupported_room_version",
                   "this server does not support room version '" + request.new_version + "'");
  return Upgrade(environment, request, *version).run();
}

}  // namespace backplane::room_server
