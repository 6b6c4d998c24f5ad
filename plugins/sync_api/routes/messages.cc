// GET /rooms/{roomId}/messages: pages of a room's history, in topological order, then by position.
#include <algorithm>
#include <memory>
#include <set>

#include "routes/room_read.h"

namespace backplane::sync_api {
namespace {

constexpr std::size_t rows_at_once = 200;
constexpr std::size_t max_scanned = 2000;  // for filters that keep few: the client asks again from `end`

bool is_before(const TimelineEntry& a, const PageToken& b) {
  return std::pair(a.topological, a.sequence) <= std::pair(b.topological, b.sequence);
}

struct Ask {
  bool backwards = true;
  PageToken from;
  std::optional<PageToken> to;
  std::size_t limit = 10;
  RoomEventFilter filter;
};

Result<Ask> read_ask(const http::Request& request, std::uint16_t lane) {
  Ask ask;
  const auto dir = request.query("dir");
  if (!dir || (*dir != "b" && *dir != "f")) return invalid("missing_param", "'dir' must be b or f");
  ask.backwards = *dir == "b";
  BACKPLANE_TRY(filter, room_filter_of(request));
  ask.filter = std::move(filter);
  BACKPLANE_TRY(limit, limit_of(request, ask.filter));
  ask.limit = limit;
  const auto from = request.query("from");
  if (from && !from->empty()) {
    BACKPLANE_TRY(token, parse_page_token(*from, lane));
    ask.from = token;
  }
  if (!ask.backwards) {
    // Forwards from a place in /sync: what came at that position or later. From a page: what is behind it.
    const bool place_in_sync = ask.from.sequence == no_bound;
    if (!from || from->empty()) ask.from.bound = 0;
    if (place_in_sync) ask.from = {.topological = -1, .sequence = 0, .bound = ask.from.bound};
    else ask.from.bound = 0;
  }
  if (const auto to = request.query("to"); to && !to->empty()) {
    BACKPLANE_TRY(token, parse_page_token(*to, lane));
    ask.to = token;
  }
  return ask;
}

/// Whether the page ends before this entry.
bool passes(const Ask& ask, const TimelineEntry& entry) {
  if (!ask.to) return false;
  const bool place_in_sync = ask.to->sequence == no_bound;
  if (ask.backwards)
    return place_in_sync ? entry.sequence < ask.to->bound && entry.kind != EntryKind::history
                         : is_before(entry, *ask.to);
  return place_in_sync ? entry.sequence >= ask.to->bound : !is_before(entry, *ask.to);
}

struct Page {
  std::vector<EntryPtr> entries;
  std::optional<PageToken> end;  ///< nothing: there is no more
};

PageToken behind(const Ask& ask, const TimelineEntry& entry) {
  PageToken token{entry.topological, entry.sequence, no_bound};
  if (ask.backwards) {
    --token.sequence;
    token.bound = ask.from.bound;
  }
  return token;
}

/// There is more behind the place.
Page finished(Page page, const Ask& ask, PageToken place) {
  if (!ask.backwards) place.bound = no_bound;
  page.end = place;
  return page;
}

Result<Page> collect(const RoomRead& room, const Ask& ask) {
  Page page;
  PageToken from = ask.from;
  for (std::size_t scanned = 0; scanned < max_scanned;) {
    BACKPLANE_TRY(rows, room.read([&](storage::Session& session) {
      return store::page(session, room.room(), from, ask.backwards, std::min(rows_at_once, ask.limit + 20));
    }));
    for (const EntryPtr& row : rows) {
      if (passes(ask, *row)) return page;
      if (page.entries.size() == ask.limit) return finished(std::move(page), ask, from);
      from = behind(ask, *row);
      if (!ask.backwards) from.bound = ask.from.bound;
      if (room.may_see(*row) && ask.filter.allows(row->type, row->sender)) page.entries.push_back(row);
    }
    if (rows.size() < std::min(rows_at_once, ask.limit + 20)) return page;
    scanned += rows.size();
  }
  return finished(std::move(page), ask, from);
}

/// Spec: with lazy loading, the members who sent what is in the chunk.
Result<std::vector<StateItem>> senders(const RoomRead& room, const Page& page) {
  std::set<std::string> wanted;
  Sequence at = 0;
  for (const EntryPtr& entry : page.entries) {
    wanted.insert(entry->sender);
    at = std::max(at, entry->latest);
  }
  return room.read([&](storage::Session& session) {
    std::vector<StateItem> items;
    for (const std::string& user : wanted) {
      auto item = store::find_state(session, room.room(), "m.room.member", user, at);
      if (item) items.push_back(std::move(*item));
    }
    return items;
  });
}

struct Found {
  RoomRead room;
  Ask ask;
  Page page;
};

Result<Found> find_page(Reader& reader, const http::Request& request) {
  BACKPLANE_TRY(room, RoomRead::open(reader, request));
  BACKPLANE_TRY(ask, read_ask(request, room.room().lane));
  Page page;
  if (ask.filter.allows_room(room.room_id().view())) {
    BACKPLANE_TRY(collected, collect(room, ask));
    page = std::move(collected);
  }
  return Found{std::move(room), std::move(ask), std::move(page)};
}

Result<http::Response> write_page(const http::Request& request, Found found) {
  auto& [room, ask, page] = found;
  const std::string given = request.query("from").value_or("");
  BACKPLANE_TRY(bodies, room.bodies(page.entries));
  std::erase_if(page.entries, [&](const EntryPtr& entry) {
    return !ask.filter.allows_content(bodies.at(entry->event_id)->event.content());
  });

  std::string out = "{\"chunk\":";
  room.append_chunk(out, page.entries, bodies);
  if (page.end) {
    out += ",\"end\":\"";
    out += page.end->encode();
    out += '"';
  }
  if (ask.filter.lazy_load_members) {
    BACKPLANE_TRY(members, senders(room, page));
    out += ",\"state\":";
    BACKPLANE_CHECK(room.append_state(out, members, RoomEventFilter()));
  }
  out += ",\"start\":";
  json::append_quoted(out, given.empty() ? ask.from.encode() : given);
  out += '}';
  return http::Response::json(std::move(out));
}

void answer(const http::Responder& responder, Result<http::Response> response) {
  responder.complete(response ? std::move(*response) : http::Response::error(response.error()));
}

/// Whoever scrolls into a part of the history that is not here has it fetched first.
void messages(Reader& reader, const http::Request& request, const http::Responder& responder) {
  auto found = find_page(reader, request);
  if (!found) return answer(responder, std::move(found).error());
  if (!found->ask.backwards) return answer(responder, write_page(request, std::move(*found)));
  const Page& page = found->page;
  const PageToken& from = found->ask.from;  // a place in /sync has no depth
  const api::BackfillRequest wanted{.room_id = found->room.room_id(),
                                    .depth = page.end ? page.end->topological : 0,
                                    .from_depth = from.sequence == no_bound ? 0 : from.topological,
                                    .limit = static_cast<std::uint32_t>(found->ask.limit)};
  const auto here = std::make_shared<Found>(std::move(*found));
  reader.pages.wait(request, wanted, [&reader, request, responder, here](bool came) {
    if (!came) return answer(responder, write_page(request, std::move(*here)));
    auto now = find_page(reader, request);
    answer(responder, now ? write_page(request, std::move(*now)) : std::move(now).error());
  });
}

}  // namespace

void add_messages(http::Routes& routes, Reader& reader) {
  routes.add_parking(http::Method::get, "/_matrix/client/v3|r0/rooms/{roomId}/messages", read_options(),
                     [&reader](const http::Request& request, const http::Responder& responder) {
                       messages(reader, request, responder);
                     });
}

}  // namespace backplane::sync_api
