// Aliases and the room directory. Errors are those that api/room_server.h documents; any thread; changes wait for the
// commit.
#pragma once

#include <string_view>

#include "backplane/api/room_server.h"
#include "environment.h"

namespace backplane::room_server {

Result<api::FindAliasResponse> find_alias(Environment& environment, const api::AliasRequest& request);
Result<api::Nothing> set_alias(Environment& environment, const api::AliasRequest& request);
Result<api::Nothing> delete_alias(Environment& environment, const api::AliasRequest& request);
Result<api::ListAliasesResponse> list_aliases(Environment& environment, const api::RoomUserRequest& request);

/// The alias of that localpart here. Errors: invalid/invalid_param.
Result<RoomAlias> local_alias(const Environment& environment, std::string_view localpart);
/// Whether the aliases that the content of an m.room.canonical_alias event names, and the present one does not, are
/// the room's. Errors: invalid/invalid_param for what is no alias, invalid/bad_alias.
Result<void> check_canonical_alias(Environment& environment, const RoomId& room_id, std::string_view content);

Result<api::PublishedResponse> find_published(Environment& environment, const api::PublishedRequest& request);
Result<api::PublishedResponse> set_published(Environment& environment, const api::PublishedRequest& request);
Result<api::ListPublicRoomsResponse> list_public_rooms(Environment& environment,
                                                       const api::ListPublicRoomsRequest& request);

/// Whether the user is joined and may send state events of that type. Errors: denied/forbidden, not_found.
Result<void> check_may_send_state(Environment& environment, const RoomId& room_id, const UserId& user,
                                  std::string_view type);

}  // namespace backplane::room_server
