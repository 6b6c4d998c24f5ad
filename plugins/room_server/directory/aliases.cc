#include <algorithm>
#include <utility>

#include "directory/directory.h"
#include "query/query.h"

namespace backplane::room_server {
namespace {

Result<void> check_local(const Environment& environment, const RoomAlias& alias) {
  BACKPLANE_CHECK(matrix::parse_room_alias(alias.view()));
  if (matrix::is_on_server(alias.view(), environment.server_name)) return {};
  return invalid("invalid_param", alias.str() + " is not an alias of this server");
}

/// The aliases that the content of an m.room.canonical_alias event names. Errors: invalid/invalid_param.
Result<std::vector<RoomAlias>> named_aliases(std::string_view content) {
  std::vector<RoomAlias> aliases;
  BACKPLANE_TRY(document, json::Document::parse_object(content));
  const auto add = [&](json::View value) -> Result<void> {
    const auto text = value.as_string();
    if (!text) return invalid("invalid_param", "an alias must be a string");
    if (text->empty()) return {};
    BACKPLANE_TRY(alias, matrix::parse_room_alias(*text));
    aliases.push_back(std::move(alias));
    return {};
  };
  if (const auto alias = document.root().find("alias"); alias && !alias->is_null()) BACKPLANE_CHECK(add(*alias));
  if (const auto others = document.root().find("alt_aliases"); others && !others->is_null()) {
    if (!others->is_array()) return invalid("invalid_param", "alt_aliases must be an array");
    for (const json::View alias : others->elements()) BACKPLANE_CHECK(add(alias));
  }
  return aliases;
}

}  // namespace

Result<RoomAlias> local_alias(const Environment& environment, std::string_view localpart) {
  if (localpart.find(':') != std::string_view::npos) {
    return invalid("invalid_param", "room_alias_name is the part before the colon");
  }
  return matrix::parse_room_alias("#" + std::string(localpart) + ":" + environment.server_name.str());
}

Result<void> check_canonical_alias(Environment& environment, const RoomId& room_id, std::string_view content) {
  BACKPLANE_TRY(aliases, named_aliases(content));
  if (aliases.empty()) return {};
  return environment.store.read([&](storage::Session& session) -> Result<void> {
    const auto room = tables::find_room(session, room_id);
    if (!room) return {};  // the lane says so
    // Spec: PUT /state: aliases that are there already are not looked at.
    std::vector<RoomAlias> present;
    if (const auto body = tables::find_state_body(session, *room, std::nullopt, "m.room.canonical_alias", "")) {
      if (auto named = named_aliases(json::find_raw(body->event.text, "content").value_or("{}")))
        present = std::move(*named);
    }
    for (const RoomAlias& alias : aliases) {
      if (std::ranges::find(present, alias) != present.end()) continue;
      const auto row = tables::find_alias(session, alias);
      if (!row || row->room.number != room->number) {
        return invalid("bad_alias", "the alias " + alias.str() + " does not point to this room");
      }
    }
    return {};
  });
}

Result<void> check_may_send_state(Environment& environment, const RoomId& room_id, const UserId& user,
                                  std::string_view type) {
  BACKPLANE_TRY(lane, environment.lanes.enter(room_id));
  const RoomHead& head = lane.head();
  if (head.membership_of(user) != matrix::Membership::join) return denied("forbidden", "you are not in the room");
  if (head.power_levels().of_user(user) < head.power_levels().to_send(type, true)) {
    return denied("forbidden", "you may not change the aliases of the room");
  }
  return {};
}

Result<api::FindAliasResponse> find_alias(Environment& environment, const api::AliasRequest& request) {
  BACKPLANE_CHECK(matrix::parse_room_alias(request.alias.view()));
  return environment.store.read([&](storage::Session& session) -> Result<api::FindAliasResponse> {
    auto row = tables::find_alias(session, request.alias);
    if (!row) return not_found("unknown_alias", "there is no room alias " + request.alias.str());
    return api::FindAliasResponse{std::move(row->room.room_id), {environment.server_name}};
  });
}

Result<api::Nothing> set_alias(Environment& environment, const api::AliasRequest& request) {
  BACKPLANE_CHECK(check_local(environment, request.alias));
  BACKPLANE_TRY(chain, environment.lanes.chain_of(request.room_id));
  const Error taken = conflict("alias_in_use", request.alias.str() + " is taken");
  auto set = environment.store.write(
      [&](storage::Write& write) -> Result<api::Nothing> {
        const auto found = tables::find_room_of_user(write, request.room_id, request.user);
        if (!found) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
        if (!found->member || found->member->membership != "join")
          return denied("forbidden", "you are not in the room");
        if (tables::find_alias(write, request.alias)) return taken;
        tables::insert_alias(write, request.alias, found->room.number, request.user, environment.clock.wall_ms());
        return api::Nothing{};
      },
      chain);
  // Another host has given it to a room of its own in the same moment.
  if (!set && set.error().reason == "constraint") return taken;
  return set;
}

Result<api::Nothing> delete_alias(Environment& environment, const api::AliasRequest& request) {
  BACKPLANE_CHECK(check_local(environment, request.alias));
  BACKPLANE_TRY(row, environment.store.read([&](storage::Session& s) { return tables::find_alias(s, request.alias); }));
  const Error unknown = not_found("unknown_alias", "there is no room alias " + request.alias.str());
  if (!row || (!request.room_id.empty() && row->room.room_id != request.room_id)) return unknown;
  BACKPLANE_TRY(chain, environment.lanes.chain_of(row->room.room_id));
  if (row->creator != request.user) {
    BACKPLANE_CHECK(check_may_send_state(environment, row->room.room_id, request.user, "m.room.canonical_alias"));
  }
  return environment.store.write(
      [&](storage::Write& write) -> Result<api::Nothing> {
        const auto now = tables::find_alias(write, request.alias);
        if (!now || now->room.number != row->room.number) return unknown;
        tables::delete_alias(write, request.alias);
        return api::Nothing{};
      },
      chain);
}

Result<api::ListAliasesResponse> list_aliases(Environment& environment, const api::RoomUserRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::ListAliasesResponse> {
    BACKPLANE_TRY(view, view_of_room(session, request.room_id, request.user));
    // Spec: GET /aliases "can be called by users who are in the room [...]. If the room's m.room.history_visibility
    // maps to world_readable, any user can call this endpoint." Who was there is in it no more: aliases have no
    // history.
    if (view.at) return denied("not_in_room", request.user.str() + " is not in the room");
    return api::ListAliasesResponse{tables::list_aliases(session, view.room.number)};
  });
}

}  // namespace backplane::room_server
