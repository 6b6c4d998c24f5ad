#include <algorithm>
#include <cctype>
#include <charconv>
#include <utility>

#include "directory/directory.h"

namespace backplane::room_server {
namespace {

constexpr std::size_t max_page = 500;

/// `n12.7` or `p12.7`: beside room 7 of 12 members, further down or further up.
std::string encode(const tables::DirectoryCursor& cursor) {
  return (cursor.backwards ? "p" : "n") + std::to_string(cursor.joined_members) + "." + std::to_string(cursor.room);
}

std::optional<tables::DirectoryCursor> decode(std::string_view text) {
  if (text.empty() || (text.front() != 'n' && text.front() != 'p')) return std::nullopt;
  tables::DirectoryCursor cursor;
  cursor.backwards = text.front() == 'p';
  const char* const end = text.data() + text.size();
  const auto members = std::from_chars(text.data() + 1, end, cursor.joined_members);
  if (members.ec != std::errc() || members.ptr == end || *members.ptr != '.') return std::nullopt;
  const auto room = std::from_chars(members.ptr + 1, end, cursor.room);
  if (room.ec != std::errc() || room.ptr != end) return std::nullopt;
  return cursor;
}

bool contains(const std::optional<std::string>& text, std::string_view term) {
  // ASCII letters in either case; others as they are.
  const auto same = [](unsigned char a, unsigned char b) { return std::tolower(a) == std::tolower(b); };
  return text && std::ranges::search(*text, term, same).begin() != text->end();
}

bool matches(const api::ListPublicRoomsRequest& request, const api::PublicRoom& room) {
  if (!request.room_types.empty() &&
      std::ranges::find(request.room_types, room.room_type) == request.room_types.end()) {
    return false;
  }
  const std::string_view term = request.search_term;
  return term.empty() || contains(room.name, term) || contains(room.topic, term) ||
         contains(room.canonical_alias, term);
}

}  // namespace

Result<api::PublishedResponse> find_published(Environment& environment, const api::PublishedRequest& request) {
  return environment.store.read([&](storage::Session& session) -> Result<api::PublishedResponse> {
    const auto room = tables::find_room(session, request.room_id);
    if (!room) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
    return api::PublishedResponse{tables::is_published(session, room->number)};
  });
}

Result<api::PublishedResponse> set_published(Environment& environment, const api::PublishedRequest& request) {
  // The specification leaves it to the server: who may change the room's alias may publish it.
  BACKPLANE_TRY(chain, environment.lanes.chain_of(request.room_id));
  BACKPLANE_CHECK(check_may_send_state(environment, request.room_id, request.user, "m.room.canonical_alias"));
  return environment.store.write(
      [&](storage::Write& write) -> Result<api::PublishedResponse> {
        const auto room = tables::find_room(write, request.room_id);
        if (!room) return not_found("unknown_room", "this server does not know the room " + request.room_id.str());
        tables::set_published(write, room->number, request.published);
        return api::PublishedResponse{request.published};
      },
      chain);
}

Result<api::ListPublicRoomsResponse> list_public_rooms(Environment& environment,
                                                       const api::ListPublicRoomsRequest& request) {
  const auto from = decode(request.since);
  if (!from && !request.since.empty())
    return invalid("invalid_param", "'" + request.since + "' is no place in the list");
  const bool backwards = from && from->backwards;
  const std::size_t limit = std::clamp<std::size_t>(request.limit, 1, max_page);
  return environment.store.read([&](storage::Session& session) {
    std::vector<tables::DirectoryRow> rows;
    tables::each_published_room(session, from, [&](tables::DirectoryRow row) {
      if (matches(request, row.room)) rows.push_back(std::move(row));
      return rows.size() <= limit;  // one more tells whether there is a next page
    });
    const bool more = rows.size() > limit;
    if (more) rows.pop_back();
    if (backwards) std::ranges::reverse(rows);
    api::ListPublicRoomsResponse response;
    response.total_room_count_estimate = tables::count_published_rooms(session);
    if (!rows.empty()) {
      tables::DirectoryCursor first = rows.front().place;
      first.backwards = true;
      if (backwards ? more : from.has_value()) response.prev_batch = encode(first);
      if (backwards || more) response.next_batch = encode(rows.back().place);
    }
    for (tables::DirectoryRow& row : rows) response.chunk.push_back(std::move(row.room));
    return response;
  });
}

}  // namespace backplane::room_server
