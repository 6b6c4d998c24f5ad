// Every statement of room_server. Functions run inside the store's work (storage/store.h) and throw storage::Failure
// like any statement; the names of tables and columns stay in store/.
//
// Inside a room, events are counted by an ordinal in the order in which they came; (room, ordinal) is the key of the
// events table, so that a room's events lie side by side.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/log/position.h"
#include "backplane/matrix/ids.h"
#include "backplane/storage/store.h"

namespace backplane::room_server {

/// A room in this database.
using RoomNumber = std::int64_t;
/// The first event of a room that is made here. Lower ones are left for history that comes later.
constexpr std::int64_t first_ordinal = std::int64_t{1} << 31;
constexpr std::int64_t event_key(RoomNumber room, std::int64_t ordinal) { return room << 32 | ordinal; }
constexpr RoomNumber room_of_key(std::int64_t key) { return key >> 32; }
constexpr std::int64_t ordinal_of_key(std::int64_t key) { return key & 0xffffffff; }

struct RoomRow {
  RoomNumber number = 0;
  RoomId room_id;
  RoomVersionId version;
};

/// An event, with all that its record in the log needs.
struct EventRow {
  std::int64_t ordinal = 0;
  EventId event_id;
  log::Position position;
  std::int64_t depth = 0;
  std::string type;
  std::optional<std::string> state_key;
  std::string sender;
  std::string history_visibility;  ///< in force before the event
  EventId replaces;                ///< the state event in whose place it comes; may be empty
  std::string membership_before;   ///< of an m.room.member event
  std::string membership_after;
  DeviceId device;
  TransactionId transaction_id;
  std::int64_t content_version = 0;
  std::string json;  ///< with `unsigned`
};

struct StateRow {
  std::string type;
  std::string state_key;
  EventId event_id;
  std::int64_t ordinal = 0;             ///< of the event
  std::int64_t since = 0;               ///< the ordinal from which on it is current
  std::string membership;               ///< of an m.room.member event
  std::optional<std::int64_t> left_at;  ///< the ordinal at which the user stopped being joined, the last time
};

/// A member's row, as reads need it.
struct MemberRow {
  EventId event_id;
  std::int64_t ordinal = 0;
  std::string membership;
  std::optional<std::int64_t> left_at;
  bool forgotten = false;
};

struct RoomOfUser {
  RoomRow room;
  std::string history_visibility;
  std::optional<MemberRow> member;
};

struct TransactionResult {
  EventId event_id;
  log::Position position;
};

struct AliasRow {
  RoomRow room;
  UserId creator;
};

struct ForgottenRow {
  UserId user;
  RoomRow room;
  std::int64_t ordinal = 0;
  std::string membership;
  log::Position position;
};

/// What the room directory shows of a room.
enum class SummaryField : std::uint8_t {
  join_rule,
  history_visibility,
  guest_access,
  name,
  topic,
  avatar_url,
  canonical_alias
};
struct SummaryChange {
  SummaryField field;
  std::optional<std::string> value;
};

namespace tables {

using storage::Session;
using storage::Write;

// rooms
std::optional<RoomRow> find_room(Session& session, const RoomId& room_id);
/// Gives the room its number.
RoomNumber insert_room(Write& write, const RoomRow& room, const std::optional<std::string>& room_type);
/// Of several changes of a field the last one counts. Nothing to change is no statement.
void update_summary(Write& write, RoomNumber room, std::span<const SummaryChange> changes,
                    std::optional<std::int64_t> joined_members);
std::int64_t joined_members(Session& session, RoomNumber room);

// events
void insert_events(Write& write, RoomNumber room, std::span<const EventRow* const> events);
/// The last event of a room: what the next one builds on.
std::optional<EventRow> find_last_event(Session& session, RoomNumber room);
std::optional<EventRow> find_event(Session& session, RoomNumber room, std::int64_t ordinal);
struct FoundEvent {
  RoomNumber room = 0;
  EventRow event;
};
std::optional<FoundEvent> find_event(Session& session, const EventId& event_id);
std::optional<log::Position> find_position(Session& session, RoomNumber room, std::int64_t ordinal);
void replace_json(Write& write, RoomNumber room, const EventRow& event);
/// The events whose ids are asked for, in no order.
void each_body(Session& session, std::span<const EventId> event_ids, const std::function<void(api::EventBody)>& body);
/// Events with after < sequence <= up_to, in that order.
void each_event_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to, std::size_t limit,
                            const std::function<void(const RoomRow&, EventRow&&)>& row);

// state
/// Of types and keys that the room does not have.
void insert_states(Write& write, RoomNumber room, std::span<const StateRow* const> states);
/// `before` is what was current until now.
void replace_state(Write& write, RoomNumber room, const StateRow& before, const StateRow& state);
std::vector<StateRow> list_state(Session& session, RoomNumber room);
/// The bodies of the current state, or of the state after the event at an ordinal.
void each_state_body(Session& session, const RoomRow& room, std::optional<std::int64_t> at,
                     const std::function<void(api::EventBody)>& body);
std::optional<api::EventBody> find_state_body(Session& session, const RoomRow& room, std::optional<std::int64_t> at,
                                              std::string_view type, std::string_view state_key);
/// The event that came in the place of the state event at an ordinal.
std::optional<std::int64_t> find_successor(Session& session, RoomNumber room, std::string_view type,
                                           std::string_view state_key, std::int64_t ordinal);

// members
/// A room, and what the user is in it, in one query.
std::optional<RoomOfUser> find_room_of_user(Session& session, const RoomId& room_id, const UserId& user);
void each_joined_member(Session& session, RoomNumber room,
                        const std::function<void(UserId, std::string_view json)>& row);
std::vector<RoomId> list_joined_rooms(Session& session, const UserId& user);
/// Whether the user is joined to a room with that id.
bool is_joined(Session& session, const RoomId& room_id, const UserId& user);

// transactions
std::optional<TransactionResult> find_transaction(Session& session, std::string_view transaction_key);
/// A key that is there already is conflict/constraint.
void insert_transaction(Write& write, std::string_view transaction_key, RoomNumber room, std::int64_t ordinal,
                        std::int64_t stored_s);
/// Answers how many are gone: at most `limit`.
std::int64_t delete_transactions(Write& write, std::int64_t before_s, std::int64_t limit);

// aliases
std::optional<AliasRow> find_alias(Session& session, const RoomAlias& alias);
void insert_alias(Write& write, const RoomAlias& alias, RoomNumber room, const UserId& creator,
                  std::int64_t created_ms);
void delete_alias(Write& write, const RoomAlias& alias);
std::vector<RoomAlias> list_aliases(Session& session, RoomNumber room);

// forgotten
void replace_forgotten(Write& write, const ForgottenRow& row);
std::optional<ForgottenRow> find_forgotten(Session& session, const RoomRow& room, const UserId& user);
std::vector<ForgottenRow> list_forgotten_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to,
                                                     std::size_t limit);

// the room directory
bool is_published(Session& session, RoomNumber room);
void set_published(Write& write, RoomNumber room, bool published);
/// Where a page of the directory begins: beside this room, further down or further up.
struct DirectoryCursor {
  std::int64_t joined_members = 0;
  RoomNumber room = 0;
  bool backwards = false;
};
struct DirectoryRow {
  DirectoryCursor place;
  api::PublicRoom room;
};
/// Published rooms from the cursor on, largest first, or, backwards, in the opposite order. `row` may answer false to
/// stop.
void each_published_room(Session& session, const std::optional<DirectoryCursor>& from,
                         const std::function<bool(DirectoryRow)>& row);
std::int64_t count_published_rooms(Session& session);

}  // namespace tables
}  // namespace backplane::room_server
