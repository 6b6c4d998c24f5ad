// A room is made on a head of its own, which nobody else knows, and stored in one transaction, with its alias.
#include <algorithm>
#include <ranges>
#include <set>
#include <utility>

#include "directory/directory.h"
#include "input/content.h"
#include "input/input.h"
#include "remote/remote_memberships.h"

namespace backplane::room_server {
namespace {

struct Preset {
  std::string_view name, join_rule, history_visibility, guest_access;
};
// Spec: Client-Server API, POST /createRoom.
constexpr std::array<Preset, 3> presets{{{"private_chat", "invite", "shared", "can_join"},
                                         {"trusted_private_chat", "invite", "shared", "can_join"},
                                         {"public_chat", "public", "shared", "forbidden"}}};
constexpr std::string_view trusted = "trusted_private_chat";

Result<const Preset*> find_preset(const api::CreateRoomRequest& request) {
  const std::string_view name = !request.preset.empty() ? std::string_view(request.preset)
                                : request.published     ? "public_chat"
                                                        : "private_chat";
  const auto found = std::ranges::find(presets, name, &Preset::name);
  if (found == presets.end()) return invalid("invalid_param", "there is no preset '" + request.preset + "'");
  return &*found;
}

Result<const matrix::RoomVersion*> find_version(const Environment& environment, const api::CreateRoomRequest& request) {
  const std::string& name = request.room_version.empty() ? environment.default_room_version : request.room_version;
  const matrix::RoomVersion* const version = matrix::find_room_version(name);
  if (version != nullptr) return version;
  return invalid("unsupported_room_version", "this server does not support room version '" + name + "'");
}

class RoomInMaking {
 public:
  RoomInMaking(Environment& environment, const api::CreateRoomRequest& request,
               const std::optional<std::string>& power_levels, const matrix::RoomVersion& version, const Preset& preset,
               RoomAlias alias)
      : environment_(environment),
        request_(request),
        power_levels_(power_levels),
        version_(version),
        preset_(preset),
        alias_(std::move(alias)),
        head_({}, version) {}

  /// Every event, in the order that the specification wants. Errors: unavailable/not_owner when this host owns no
  /// shard.
  Result<void> make() {
    BACKPLANE_CHECK(begin());
    BACKPLANE_CHECK(add("m.room.member", request_.creator.user.view(), member_content(request_.creator, "join")));
    BACKPLANE_CHECK(add_power_levels());
    if (!alias_.empty())
      BACKPLANE_CHECK(add("m.room.canonical_alias", "", Content().set("alias", alias_.view()).canonical()));
    BACKPLANE_CHECK(add_preset_events());
    BACKPLANE_CHECK(add_initial_state());
    if (request_.name) BACKPLANE_CHECK(add("m.room.name", "", Content().set("name", *request_.name).canonical()));
    if (request_.topic) BACKPLANE_CHECK(add("m.room.topic", "", topic_content(*request_.topic)));
    if (power_levels_ && *power_levels_ != head_.find("m.room.power_levels", "")->event.content())
      BACKPLANE_CHECK(add("m.room.power_levels", "", *power_levels_));
    return add_invites();
  }

  Result<log::Position> store(storage::Write& write) {
    if (!alias_.empty() && tables::find_alias(write, alias_))
      return conflict("room_in_use", alias_.str() + " is taken");
    const std::string_view create_content = events_.front().event.content();
    head_.set_number(tables::insert_room(write, head_.room(), json::find_raw_string(create_content, "type")));
    ChangedBodies none;
    store_events(environment_, write, head_.room(), events_, none);
    if (!alias_.empty()) {
      tables::insert_alias(write, alias_, head_.room().number, request_.creator.user, environment_.clock.wall_ms());
    }
    if (request_.published) tables::set_published(write, head_.room().number, true);
    return events_.back().row.position;
  }

  RoomHead& head() { return head_; }
  /// Of the room's shard, when the room was begun.
  std::uint64_t generation() const { return generation_; }
  std::size_t event_count() const { return events_.size(); }

 private:
  std::uint64_t generation_of(const RoomId& room_id) const {
    return environment_.store.ownership().generation(log::lane_of(room_id.view()));
  }

  /// The create event. The room's id decides who owns it, and is tried again until it falls to this host: as it is
  /// made by chance, or of the event with its time, it soon does.
  Result<void> begin() {
    constexpr int max_tries = 1000;  // of which one in sixteen fits, or more
    const storage::Ownership& ownership = environment_.store.ownership();
    const auto lanes = std::views::iota(std::uint16_t{0}, log::lane_count);
    if (!std::ranges::any_of(lanes, [&](std::uint16_t lane) { return ownership.owns(lane); }))
      return storage::not_owner(ownership, 0);
    BACKPLANE_TRY(content, create_content());
    const bool by_hash = version_.room_id_format == matrix::RoomIdFormat::create_event_hash;
    for (int tries = 0; tries < max_tries; ++tries) {
      RoomId room_id;
      if (!by_hash) {
        room_id = RoomId("!" + environment_.random.text(18) + ":" + environment_.server_name.str());
        if (generation_of(room_id) == 0) continue;
      }
      head_ = RoomHead(room_id, version_);
      events_.clear();
      BACKPLANE_CHECK(add("m.room.create", "", content, next_creation_ms()));
      generation_ = generation_of(head_.room_id());
      if (generation_ != 0) return {};
    }
    return storage::not_owner(ownership, log::lane_of(head_.room_id().view()));
  }

  static std::string member_content(const api::MemberProfile& profile, std::string_view membership) {
    return Content()
        .set("membership", membership)
        .set_optional("displayname", profile.displayname)
        .set_optional("avatar_url", profile.avatar_url)
        .canonical();
  }

  static std::string topic_content(const std::string& topic) {
    // Spec: Client-Server API, m.room.topic: the plain text is repeated in the content block.
    return Content()
        .set_raw("m.topic", "{\"m.text\":[{\"body\":" + json::quoted(topic) + "}]}")
        .set("topic", topic)
        .canonical();
  }

  Result<void> add(std::string_view type, std::string_view state_key, std::string content, std::int64_t at = 0) {
    matrix::EventDraft draft;
    draft.sender = request_.creator.user;
    draft.type = type;
    draft.state_key = std::string(state_key);
    draft.content = std::move(content);
    draft.origin_server_ts = at;
    const HeadState* const before = head_.find(type, state_key);
    auto made = make_event(environment_, head_, std::move(draft), before != nullptr ? before->event : matrix::Event(),
                           {request_.device, {}});
    if (!made) {
      if (made.error().code != ErrorCode::denied) return std::move(made).error();
      return invalid("invalid_room_state", std::string(type) + ": " + made.error().text);
    }
    events_.push_back(std::move(*made));
    return {};
  }

  Result<std::string> create_content() const {
    BACKPLANE_TRY(content, Content::parse(request_.creation_content));
    // Spec: the server overwrites these two.
    content.remove("creator");
    content.set("room_version", version_.id);
    if (!version_.creator_is_sender) content.set("creator", request_.creator.user.view());
    if (version_.privileged_creators && preset_.name == trusted) BACKPLANE_CHECK(add_creators(content));
    return content.canonical();
  }

  /// Spec: room version 12: the id of the room is a hash of the create event, so no two may be the same.
  std::int64_t next_creation_ms() {
    std::int64_t at = environment_.clock.wall_ms();
    std::int64_t last = environment_.last_creation_ms.load();
    do {
      at = std::max(at, last + 1);
    } while (!environment_.last_creation_ms.compare_exchange_weak(last, at));
    return at;
  }

  /// Spec: POST /createRoom, creation_content: the invited are creators too.
  Result<void> add_creators(Content& content) const {
    std::vector<std::string> creators;
    const auto add_creator = [&](std::string_view user) {
      if (user == request_.creator.user.view() || std::ranges::find(creators, user) != creators.end()) return;
      creators.emplace_back(user);
    };
    if (const auto raw = content.find_raw("additional_creators")) {
      BACKPLANE_TRY(document, json::Document::parse(*raw));
      if (!document.root().is_array()) return invalid("bad_json", "additional_creators must be an array of user ids");
      for (const json::View creator : document.root().elements()) {
        if (!creator.is_string()) return invalid("bad_json", "additional_creators must be an array of user ids");
        add_creator(*creator.as_string());
      }
    }
    for (const api::MemberProfile& invited : request_.invite) add_creator(invited.user.view());
    if (!creators.empty()) content.set_raw("additional_creators", to_json(creators));
    return {};
  }

  /// Until all the state is there the creator has whatever it takes.
  std::string levels_to_begin_with() const {
    Content levels = Content::parse_canonical(*power_levels_);
    if (version_.privileged_creators) return levels.canonical();
    std::int64_t highest = 100;
    const auto raise_to = [&](std::optional<std::string_view> level) {
      if (level) highest = std::max<std::int64_t>(highest, std::strtoll(std::string(*level).c_str(), nullptr, 10));
    };
    raise_to(levels.find_raw("state_default"));
    if (const auto events = levels.find_raw("events")) {
      const auto document = json::Document::parse(*events);
      for (const auto& [type, level] : document->root().members()) raise_to(level.canonical());
    }
    Content users = Content::parse_canonical(levels.find_raw("users").value_or("{}"));
    users.set_raw(request_.creator.user.view(), std::to_string(highest));
    return levels.set_raw("users", users.canonical()).canonical();
  }

  Result<void> add_power_levels() {
    if (power_levels_) return add("m.room.power_levels", "", levels_to_begin_with());
    // Spec: POST /createRoom, 3: the creator has no entry from room version 12 on, and a tombstone needs more than
    // other state events do.
    Content users;
    if (!version_.privileged_creators) {
      users.set_raw(request_.creator.user.view(), "100");
      if (preset_.name == trusted) {
        for (const api::MemberProfile& invited : request_.invite) users.set_raw(invited.user.view(), "100");
      }
    }
    Content events;
    for (const std::string_view type : {"m.room.avatar", "m.room.canonical_alias", "m.room.name"})
      events.set_raw(type, "50");
    for (const std::string_view type :
         {"m.room.encryption", "m.room.history_visibility", "m.room.power_levels", "m.room.server_acl"}) {
      events.set_raw(type, "100");
    }
    events.set_raw("m.room.tombstone", version_.privileged_creators ? "150" : "100");
    Content levels;
    for (const std::string_view name : {"ban", "kick", "redact", "state_default"}) levels.set_raw(name, "50");
    for (const std::string_view name : {"events_default", "invite", "users_default"}) levels.set_raw(name, "0");
    levels.set_raw("events", events.canonical()).set_raw("users", users.canonical());
    BACKPLANE_TRY(override_content, Content::parse(request_.power_level_content_override));
    return add("m.room.power_levels", "", levels.merge(override_content).canonical());
  }

  bool is_in_initial_state(std::string_view type) const {
    return std::ranges::any_of(request_.initial_state, [&](const api::StateDraft& state) {
      return state.type == type && state.state_key.empty();
    });
  }

  Result<void> add_preset_events() {
    const std::array<std::array<std::string_view, 3>, 3> events{
        {{"m.room.join_rules", "join_rule", preset_.join_rule},
         {"m.room.history_visibility", "history_visibility", preset_.history_visibility},
         {"m.room.guest_access", "guest_access", preset_.guest_access}}};
    for (const auto& [type, member, word] : events) {
      if (!is_in_initial_state(type)) BACKPLANE_CHECK(add(type, "", Content().set(member, word).canonical()));
    }
    return {};
  }

  Result<void> add_initial_state() {
    for (const api::StateDraft& state : request_.initial_state) {
      if (state.type == "m.room.create")
        return invalid("invalid_room_state", "initial_state may not have m.room.create");
      const bool overridden = state.state_key.empty() && ((state.type == "m.room.name" && request_.name) ||
                                                          (state.type == "m.room.topic" && request_.topic));
      if (overridden) continue;
      BACKPLANE_TRY(content, canonical_event_content(state.content));
      BACKPLANE_CHECK(add(state.type, state.state_key, std::move(content)));
    }
    return {};
  }

  Result<void> add_invites() {
    std::set<UserId> invited;
    for (const api::MemberProfile& profile : request_.invite) {
      BACKPLANE_CHECK(matrix::parse_user_id(profile.user.view()));
      if (!invited.insert(profile.user).second) continue;
      if (!matrix::is_on_server(profile.user.view(), environment_.server_name)) {
        if (environment_.remote_memberships->can_ask())
          continue;  // once the room is there: their servers have to agree
        return denied("forbidden", "users of other servers cannot be invited: this server does not federate");
      }
      Content content = Content::parse_canonical(member_content(profile, "invite"));
      if (request_.is_direct) content.set_raw("is_direct", "true");
      BACKPLANE_CHECK(add("m.room.member", profile.user.view(), content.canonical()));
    }
    return {};
  }

  Environment& environment_;
  const api::CreateRoomRequest& request_;
  const std::optional<std::string>& power_levels_;
  const matrix::RoomVersion& version_;
  const Preset& preset_;
  const RoomAlias alias_;
  RoomHead head_;
  std::uint64_t generation_ = 0;
  std::vector<NewEvent> events_;
};

}  // namespace

Result<api::CreateRoomResponse> create_room(Environment& environment, const api::CreateRoomRequest& request) {
  return create_room(environment, request, std::nullopt);
}

Result<api::CreateRoomResponse> create_room(Environment& environment, const api::CreateRoomRequest& request,
                                            const std::optional<std::string>& power_levels) {
  BACKPLANE_TRY(version, find_version(environment, request));
  BACKPLANE_TRY(preset, find_preset(request));
  RoomAlias alias;
  if (!request.room_alias_name.empty()) {
    BACKPLANE_TRY(parsed, local_alias(environment, request.room_alias_name));
    alias = parsed;
    // Before the work of making the room; what counts is the check in its transaction.
    BACKPLANE_TRY(
        taken, environment.store.read([&](storage::Session& s) { return tables::find_alias(s, alias).has_value(); }));
    if (taken) return conflict("room_in_use", alias.str() + " is taken");
  }
  // Two rooms get the same id when a clock that was set back makes the same create event again, and a room may lose its
  // owner while it is made.
  for (int attempts_left = 2;; --attempts_left) {
    RoomInMaking room(environment, request, power_levels, *version, *preset, alias);
    BACKPLANE_CHECK(room.make());
    const RoomId room_id = room.head().room_id();
    const auto chain = std::make_shared<storage::Chain>(log::lane_of(room_id.view()), room.generation());
    auto position = environment.store.write([&](storage::Write& write) { return room.store(write); }, chain);
    if (!position) {
      const std::string& reason = position.error().reason;
      if ((reason == "constraint" || reason == "not_owner") && attempts_left > 0) continue;
      return std::move(position).error();
    }
    environment.meters.events_accepted.add(room.event_count());
    environment.logger.debug("created room", {{"room_id", room_id.view()}, {"room_version", version->id}});
    environment.lanes.adopt(std::move(room.head()), room.generation());
    return api::CreateRoomResponse{room_id, alias, *position};
  }
}

}  // namespace backplane::room_server
