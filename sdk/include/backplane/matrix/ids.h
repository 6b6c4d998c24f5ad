// The identifiers of the Matrix specification (Appendices, "Identifier Grammar") as types, and what they are made of.
// Pure functions. Parse what comes from outside; construct directly what this server made or stored.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/base/strong_id.h"

namespace backplane {

using ServerName = StrongId<struct ServerNameTag>;
using UserId = StrongId<struct UserIdTag>;        ///< @localpart:server
using RoomId = StrongId<struct RoomIdTag>;        ///< !opaque:server, from room version 12 on !hash
using RoomAlias = StrongId<struct RoomAliasTag>;  ///< #localpart:server
using EventId = StrongId<struct EventIdTag>;      ///< $hash
using DeviceId = StrongId<struct DeviceIdTag>;
using TransactionId = StrongId<struct TransactionIdTag>;
using AccessToken = StrongId<struct AccessTokenTag>;
using RoomVersionId = StrongId<struct RoomVersionIdTag>;

namespace matrix {

/// Errors: invalid/invalid_param with a text that says what is wrong. At most 255 bytes, UTF-8.
BACKPLANE_API Result<ServerName> parse_server_name(std::string_view text);
/// Accepts the historical character set too, as received events may hold it.
BACKPLANE_API Result<UserId> parse_user_id(std::string_view text);
BACKPLANE_API Result<RoomId> parse_room_id(std::string_view text);
BACKPLANE_API Result<RoomAlias> parse_room_alias(std::string_view text);
BACKPLANE_API Result<EventId> parse_event_id(std::string_view text);

/// Whether a localpart may be registered today: a-z 0-9 . _ = - / +, not empty, and the whole id within 255 bytes.
BACKPLANE_API bool is_valid_new_localpart(std::string_view localpart, const ServerName& server);

/// The part between the sigil and the first colon.
BACKPLANE_API std::string_view localpart(const UserId& user);
BACKPLANE_API std::string_view localpart(const RoomAlias& alias);
/// The part after the first colon; empty where there is none (a room id of version 12).
BACKPLANE_API ServerName server_of(const UserId& user);
BACKPLANE_API ServerName server_of(const RoomAlias& alias);
BACKPLANE_API ServerName server_of(const RoomId& room);
/// Of an event of room versions 1 and 2; later ids name no server.
BACKPLANE_API ServerName server_of(const EventId& event);
/// From room version 12 on a room's id is its create event's id with the other sigil, and the other way round.
BACKPLANE_API RoomId room_id_of_create_event(const EventId& create_event);
BACKPLANE_API EventId create_event_id_of(const RoomId& room);
/// Without making a copy: does the id end in `:server`?
BACKPLANE_API bool is_on_server(std::string_view id, const ServerName& server);

}  // namespace matrix
}  // namespace backplane
