#include "input/retention.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <string_view>
#include <utility>
#include <vector>

#include "input/input.h"

namespace backplane::room_server {
namespace {

constexpr Duration between_passes = std::chrono::minutes(10);
constexpr std::size_t rooms_at_once = 100;
/// While so many purges are under way, no more begin.
constexpr std::size_t max_purges = 100;
/// So many state events before a room's first message are worth a write, lest each pass reads them again.
constexpr std::int64_t worth_noting = 1000;

/// MSC1763: `max_lifetime`, in milliseconds. What is no whole number above 0 says nothing.
std::optional<std::int64_t> max_lifetime_in(std::string_view content) {
  const auto raw = json::find_raw(content, "max_lifetime");
  if (!raw) return std::nullopt;
  std::int64_t lifetime = 0;
  const auto [end, error] = std::from_chars(raw->data(), raw->data() + raw->size(), lifetime);
  if (error != std::errc() || end != raw->data() + raw->size() || lifetime <= 0) return std::nullopt;
  return lifetime;
}

/// The purge of what came before a time, when there is something.
std::optional<tables::PurgeRow> old_history(storage::Session& session, const tables::MessagesRow& row,
                                            const std::optional<tables::MessageTime>& first, std::int64_t before) {
  const RoomNumber room = row.room.number;
  const bool is_first_old = first && first->received_ms < before;
  if (!is_first_old && tables::list_low_messages_before(session, room, before, 1).empty()) return std::nullopt;
  const auto tips = tables::find_forward_extremities(session, room).ordinals;
  tables::PurgeRow purge{room, row.from, event_key(room, row.from) - 1, before};
  if (is_first_old) {
    purge.up_to = purge_end(tables::find_ordinal_at(session, room, first->ordinal, before), tips,
                            tables::last_ordinal(session, room));
    if (first->ordinal < purge.up_to) return purge;
    purge.up_to = row.from;
  }
  // The forward extremities among them stay.
  for (const std::int64_t low : tables::list_low_messages_before(session, room, before, tips.size() + 1)) {
    if (std::ranges::find(tips, low) == tips.end()) return purge;
  }
  return std::nullopt;
}

}  // namespace

/// What a look at some rooms came to.
struct Retention::Found {
  std::vector<std::pair<RoomRow, tables::PurgeRow>> purges;
  std::vector<std::pair<RoomRow, std::int64_t>> first_messages;  ///< where much lies before them
  RoomNumber last = 0;                                           ///< the last room of the look
  std::int64_t looked_at = 0;                                    ///< rooms that are owned here
  bool is_end = false;                                           ///< there is no further one
};

std::optional<std::int64_t> Retention::lifetime_in(storage::Session& session, const RoomRow& room) const {
  std::optional<std::int64_t> lifetime;
  if (rules_.lifetime > Duration(0))
    lifetime = std::chrono::duration_cast<std::chrono::milliseconds>(rules_.lifetime).count();
  if (!rules_.by_room) return lifetime;
  const auto policy = tables::find_state_body(session, room, std::nullopt, "m.room.retention", "");
  const auto said =
      policy ? max_lifetime_in(json::find_raw(policy->event.text, "content").value_or("{}")) : std::nullopt;
  return said && (!lifetime || *said < *lifetime) ? said : lifetime;
}

Retention::Found Retention::look(storage::Session& session, RoomNumber after) const {
  Found found;
  found.last = after;
  const auto rooms = tables::list_messages_rows(session, after, rooms_at_once);
  const std::int64_t now = environment_.clock.wall_ms();
  for (const tables::MessagesRow& row : rooms) {
    if (found.purges.size() == max_purges) return found;
    const RoomRow& room = row.room;
    found.last = room.number;
    if (!environment_.store.ownership().owns(log::lane_of(room.room_id.view()))) continue;
    ++found.looked_at;
    const auto lifetime = lifetime_in(session, room);
    if (!lifetime) continue;
    const std::int64_t before = now - *lifetime;
    const auto first = tables::find_message_from(session, room.number, row.from);
    const std::int64_t begin = first ? first->ordinal : tables::last_ordinal(session, room.number);
    if (begin - row.from >= worth_noting) found.first_messages.emplace_back(room, begin);
    auto purge = old_history(session, row, first, before);
    if (purge && !tables::find_purge(session, room.number)) found.purges.emplace_back(room, *purge);
  }
  found.is_end = rooms.size() < rooms_at_once;
  return found;
}

Result<bool> Retention::note(const RoomRow& room, const tables::PurgeRow& purge) {
  BACKPLANE_TRY(chain, environment_.lanes.chain_of(room.room_id));
  return environment_.store.write(
      [&](storage::Write& write) {
        // It may have been deleted meanwhile.
        return tables::find_room(write, purge.room).has_value() && tables::insert_purge(write, purge);
      },
      chain);
}

void Retention::go_on(const std::atomic<bool>& draining) {
  const Instant now = environment_.clock.now();
  if (after_ == 0) {
    if (pass_began_ != Instant() && now - pass_began_ < between_passes) return;
    pass_began_ = now;
  }
  auto found = environment_.store.read([&](storage::Session& session) -> std::optional<Found> {
    if (tables::count_purges(session) >= static_cast<std::int64_t>(max_purges)) return std::nullopt;
    return look(session, after_);
  });
  if (!found) return environment_.logger.warning("old history stays", {{"error", found.error().text}});
  if (!*found) return;
  // Rooms may go to another host meanwhile, which looks at them then.
  const auto is_fault = [](const auto& result) { return !result && result.error().reason != "not_owner"; };
  for (const auto& [room, ordinal] : (*found)->first_messages) {
    if (draining) return;
    const auto chain = environment_.lanes.chain_of(room.room_id);
    if (!chain) continue;
    const auto moved = environment_.store.write(
        [number = room.number, at = ordinal](storage::Write& write) { tables::move_messages_from(write, number, at); },
        *chain);
    if (is_fault(moved))
      environment_.logger.warning("a room is read again and again",
                                  {{"room_id", room.room_id.view()}, {"error", moved.error().text}});
  }
  for (const auto& [room, purge] : (*found)->purges) {
    if (draining) return;
    const auto noted = note(room, purge);
    if (is_fault(noted)) {
      environment_.logger.warning("old history stays",
                                  {{"room_id", room.room_id.view()}, {"error", noted.error().text}});
    } else if (noted && *noted) {
      environment_.meters.purges_by_lifetime.add();
      ++noted_;
    }
  }
  looked_at_ += (*found)->looked_at;
  after_ = (*found)->last;
  if ((*found)->is_end) end_pass();
}

void Retention::end_pass() {
  if (noted_ > 0) environment_.logger.info("history goes by its age", {{"rooms", noted_}, {"looked_at", looked_at_}});
  after_ = 0;
  looked_at_ = 0;
  noted_ = 0;
}

}  // namespace backplane::room_server
