#include "backplane/matrix/ids.h"

#include <algorithm>

#include "backplane/base/encoding.h"

namespace backplane::matrix {
namespace {

constexpr std::size_t max_id_bytes = 255;

Error bad_id(std::string text) { return invalid("invalid_param", std::move(text)); }

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_dns_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' || c == '.';
}
bool is_ipv6_char(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F') || c == ':' || c == '.';
}

/// Spec: appendices, "Server Name": hostname [ ":" port ].
bool is_server_name(std::string_view text) {
  std::string_view rest;  // behind the host name
  if (text.starts_with('[')) {
    const auto bracket = text.find(']');
    if (bracket == std::string_view::npos) return false;
    const std::string_view address = text.substr(1, bracket - 1);
    if (address.size() < 2 || address.size() > 45 || !std::all_of(address.begin(), address.end(), is_ipv6_char)) {
      return false;
    }
    rest = text.substr(bracket + 1);
  } else {
    const std::string_view host = text.substr(0, text.find(':'));
    if (host.empty() || host.size() > 255 || !std::all_of(host.begin(), host.end(), is_dns_char)) return false;
    rest = text.substr(host.size());
  }
  if (rest.empty()) return true;
  rest.remove_prefix(1);
  return text[text.size() - rest.size() - 1] == ':' && !rest.empty() && rest.size() <= 5 &&
         std::all_of(rest.begin(), rest.end(), is_digit);
}

/// What all identifiers with a sigil have in common.
Result<void> check_common(std::string_view text, char sigil, std::string_view what) {
  if (text.empty() || text.front() != sigil) {
    return bad_id(std::string(what) + " must start with '" + sigil + "'");
  }
  if (text.size() > max_id_bytes) return bad_id(std::string(what) + " is longer than 255 bytes");
  if (text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    return bad_id(std::string(what) + " has characters that are not allowed");
  }
  return {};
}

Result<void> check_with_server(std::string_view text, char sigil, std::string_view what) {
  BACKPLANE_CHECK(check_common(text, sigil, what));
  const auto colon = text.find(':');
  if (colon == std::string_view::npos) return bad_id(std::string(what) + " has no server name");
  if (!is_server_name(text.substr(colon + 1))) return bad_id(std::string(what) + " has no valid server name");
  return {};
}

std::string_view localpart_of(std::string_view id) {
  if (id.empty()) return {};
  id.remove_prefix(1);
  return id.substr(0, id.find(':'));
}

ServerName server_name_of(std::string_view id) {
  const auto colon = id.find(':');
  return ServerName(colon == std::string_view::npos ? std::string() : std::string(id.substr(colon + 1)));
}

std::string with_sigil(char sigil, std::string_view id) {
  std::string out(id);
  if (!out.empty()) out.front() = sigil;
  return out;
}

}  // namespace

Result<ServerName> parse_server_name(std::string_view text) {
  if (text.size() > max_id_bytes) return bad_id("the server name is longer than 255 bytes");
  if (!is_server_name(text)) return bad_id("not a valid server name");
  return ServerName(std::string(text));
}

Result<UserId> parse_user_id(std::string_view text) {
  // Spec: appendices, "Historical User IDs": any localpart, an empty one too, that has no ':' and no NUL.
  BACKPLANE_CHECK(check_with_server(text, '@', "the user id"));
  return UserId(std::string(text));
}

Result<RoomId> parse_room_id(std::string_view text) {
  BACKPLANE_CHECK(check_common(text, '!', "the room id"));
  const auto colon = text.find(':');
  if (text.size() == 1 || (colon != std::string_view::npos && !is_server_name(text.substr(colon + 1)))) {
    return bad_id("the room id has no valid server name");
  }
  return RoomId(std::string(text));
}

Result<RoomAlias> parse_room_alias(std::string_view text) {
  BACKPLANE_CHECK(check_with_server(text, '#', "the room alias"));
  if (text[1] == ':') return bad_id("the room alias has no localpart");
  return RoomAlias(std::string(text));
}

Result<EventId> parse_event_id(std::string_view text) {
  BACKPLANE_CHECK(check_common(text, '$', "the event id"));
  if (text.size() == 1) return bad_id("the event id is empty");
  return EventId(std::string(text));
}

bool is_valid_new_localpart(std::string_view localpart, const ServerName& server) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || is_digit(c) || std::string_view("._=-/+").find(c) != std::string_view::npos;
  };
  return !localpart.empty() && localpart.size() + server.view().size() + 2 <= max_id_bytes &&
         std::all_of(localpart.begin(), localpart.end(), allowed);
}

std::string_view localpart(const UserId& user) { return localpart_of(user.view()); }
std::string_view localpart(const RoomAlias& alias) { return localpart_of(alias.view()); }
ServerName server_of(const UserId& user) { return server_name_of(user.view()); }
ServerName server_of(const RoomAlias& alias) { return server_name_of(alias.view()); }
ServerName server_of(const RoomId& room) { return server_name_of(room.view()); }
ServerName server_of(const EventId& event) { return server_name_of(event.view()); }

RoomId room_id_of_create_event(const EventId& create_event) { return RoomId(with_sigil('!', create_event.view())); }
EventId create_event_id_of(const RoomId& room) { return EventId(with_sigil('$', room.view())); }

bool is_on_server(std::string_view id, const ServerName& server) {
  const auto colon = id.find(':');
  return colon != std::string_view::npos && id.substr(colon + 1) == server.view();
}

}  // namespace backplane::matrix
