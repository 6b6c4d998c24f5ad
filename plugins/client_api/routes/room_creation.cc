#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

Result<void> read_invites(Components& c, const http::Request& request, json::View body, api::CreateRoomRequest& room) {
  BACKPLANE_TRY(invites, body.get_optional_array("invite"));
  if (!invites) return {};
  for (const json::View element : invites->elements()) {
    const auto name = element.as_string();
    if (!name) return invalid("bad_json", "member 'invite' is not a list of user ids");
    BACKPLANE_TRY(user, matrix::parse_user_id(*name));
    room.invite.push_back(member_profile(c, request, user));
  }
  return {};
}

Result<void> read_initial_state(json::View body, api::CreateRoomRequest& room) {
  BACKPLANE_TRY(list, body.get_optional_array("initial_state"));
  if (!list) return {};
  for (const json::View element : list->elements()) {
    BACKPLANE_TRY(type, element.get_string("type"));
    BACKPLANE_TRY(key, element.get_optional_string("state_key"));
    BACKPLANE_TRY(content, element.get_object("content"));
    room.initial_state.push_back({std::string(type), std::string(key.value_or("")), json::Raw{content.canonical()}});
  }
  return {};
}

Result<api::CreateRoomRequest> read_room(Components& c, const http::Request& request, json::View body) {
  api::CreateRoomRequest room;
  const api::Session& session = api::session_of(request);
  room.creator = member_profile(c, request, session.user);
  room.device = session.device;
  BACKPLANE_TRY(visibility, body.get_optional_string("visibility"));
  if (visibility && *visibility != "public" && *visibility != "private")
    return invalid("invalid_param", "visibility is public or private");
  room.published = visibility == "public";
  BACKPLANE_TRY(preset, body.get_optional_string("preset"));
  BACKPLANE_TRY(version, body.get_optional_string("room_version"));
  BACKPLANE_TRY(alias, body.get_optional_string("room_alias_name"));
  BACKPLANE_TRY(name, body.get_optional_string("name"));
  BACKPLANE_TRY(topic, body.get_optional_string("topic"));
  BACKPLANE_TRY(direct, body.get_optional_boolean("is_direct"));
  BACKPLANE_TRY(creation, body.get_optional_object("creation_content"));
  BACKPLANE_TRY(levels, body.get_optional_object("power_level_content_override"));
  room.preset = preset.value_or("");
  room.room_version = version.value_or("");
  room.room_alias_name = alias.value_or("");
  if (name) room.name = *name;
  if (topic) room.topic = *topic;
  room.is_direct = direct.value_or(false);
  if (creation) room.creation_content.text = creation->canonical();
  if (levels) room.power_level_content_override.text = levels->canonical();
  if (const auto invites = body.find("invite_3pid"); invites && invites->size() > 0) {
    return invalid("threepid_denied", "this server cannot invite by third-party identifiers");
  }
  BACKPLANE_CHECK(read_invites(c, request, body, room));
  BACKPLANE_CHECK(read_initial_state(body, room));
  return room;
}

Result<api::CreateRoomRequest> read_room(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body(true));
  return read_room(c, request, document.root());
}

void create_room(Components& c, const http::Request& request, http::Responder responder) {
  const auto room = read_room(c, request);
  if (!room) return (void)responder.complete(http::Response::error(room.error()));
  c.rooms.create_room(api::context_of(request), *room,
                      answer<api::CreateRoomResponse>(std::move(responder), [](const api::CreateRoomResponse& made) {
                        std::string body;
                        json::Writer out(body);
                        out.begin_object().member("room_id", made.room_id.view());
                        if (!made.room_alias.empty()) out.member("room_alias", made.room_alias.view());
                        out.end_object();
                        return http::Response::json(std::move(body));
                      }));
}

Result<http::Response> upgrade_room(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body(true));
  const json::View body = document.root();
  const api::Session& session = api::session_of(request);
  api::UpgradeRoomRequest upgrade;
  BACKPLANE_TRY(room_id, room_parameter(request));
  upgrade.room_id = room_id;
  upgrade.user = member_profile(c, request, session.user);
  upgrade.device = session.device;
  BACKPLANE_TRY(version, body.get_string("new_version"));
  upgrade.new_version = version;
  BACKPLANE_TRY(creators, body.get_optional_array("additional_creators"));
  if (creators) {
    for (const json::View element : creators->elements()) {
      const auto name = element.as_string();
      if (!name) return invalid("bad_json", "member 'additional_creators' is not a list of user ids");
      BACKPLANE_TRY(user, matrix::parse_user_id(*name));
      upgrade.additional_creators.push_back(std::move(user));
    }
  }
  BACKPLANE_TRY(upgraded, c.rooms.upgrade_room(api::context_of(request), upgrade));
  std::string text;
  json::Writer(text).begin_object().member("replacement_room", upgraded.replacement_room.view()).end_object();
  return http::Response::json(std::move(text));
}

}  // namespace

void add_room_creation_routes(http::Routes& routes, Components& c) {
  routes.add_parking(
      http::Method::post, "/_matrix/client/v3|r0/createRoom", write_route,
      [&c](const http::Request& r, http::Responder responder) { create_room(c, r, std::move(responder)); });
  routes.add(http::Method::post, "/_matrix/client/v3|r0/rooms/{roomId}/upgrade", write_route,
             [&c](const http::Request& r) { return upgrade_room(c, r); });
}

}  // namespace backplane::client_api
