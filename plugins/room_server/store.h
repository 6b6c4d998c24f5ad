// Every statement of room_server. Functions run inside the store's work (storage/store.h) and throw storage::Failure
// like any statement; the names of tables and columns stay in store/.
//
// Inside a room, events are counted by an ordinal in the order in which they came; (room, ordinal) is the key of the
// events table, so that a room's events lie side by side.
#pragma once

#include <algorithm>
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
#include "state/snapshot_cache.h"
#include "state/state_snapshot.h"

namespace backplane::room_server {

/// A room in this database.
using RoomNumber = std::int64_t;
/// Of the first event that is accepted in a room. Those that are not, outliers and history count down from it.
constexpr std::int64_t first_ordinal = std::int64_t{1} << 31;
constexpr std::int64_t event_key(RoomNumber room, std::int64_t ordinal) { return room << 32 | ordinal; }
constexpr RoomNumber room_of_key(std::int64_t key) { return key >> 32; }
constexpr std::int64_t ordinal_of_key(std::int64_t key) { return key & 0xffffffff; }

struct RoomRow {
  RoomNumber number = 0;
  RoomId room_id;
  RoomVersionId version;
};

/// What became of an event (Server-Server API, "Checks performed on receipt of a PDU").
enum class EventStatus : std::uint8_t {
  accepted,     ///< clients were told of it when it came
  soft_failed,  ///< in its place, but not allowed by what was current when it came: clients are not told
  rejected,     ///< not allowed
  outlier,      ///< here for those that cite it: its place is not known
  history,      ///< came after what follows it
  silent,       ///< followed, but nobody is told: it brings branches together, or redacts what it may not (yet)
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
  EventId replaces;                ///< the state event in whose place it became current; may be empty
  std::string membership_before;   ///< of an m.room.member event
  std::string membership_after;
  DeviceId device;
  TransactionId transaction_id;
  EventStatus status = EventStatus::accepted;
  bool became_current = false;    ///< a state event that changed the current state when it came
  std::int64_t state_before = 0;  ///< the numbers of the snapshots; 0 where the place is not known
  std::int64_t state_after = 0;
  std::int64_t content_version = 0;
  std::string json;  ///< with `unsigned`
};

/// Whether clients are told of such events: only these have a position in the log.
constexpr bool is_published(EventStatus status) {
  return status == EventStatus::accepted || status == EventStatus::history;
}

/// Whether new events may follow such events.
constexpr bool may_be_followed(EventStatus status) { return is_published(status) || status == EventStatus::silent; }

/// A type and state key that the room has met, and the event that is current.
struct StateRow {
  std::string type;
  std::string state_key;
  EventId event_id;                     ///< empty: none is
  StateNumber number = 0;               ///< of type and state key
  std::int64_t ordinal = 0;             ///< of the event, or 0
  std::string membership;               ///< of an m.room.member event
  std::optional<std::int64_t> left_at;  ///< the ordinal at which the user stopped being joined, the last time
};

/// Where the next event of a room goes on, when that is not simply after the last one.
struct ForwardExtremities {
  std::vector<std::int64_t> ordinals;  ///< none: the last event is the only one, and the state that after it
  std::int64_t state = 0;              ///< the number of the snapshot that is current
  bool operator==(const ForwardExtremities&) const = default;
};

/// A state event, current or not, as resolution needs it (state/auth_index.h).
struct StateEventRow {
  std::uint32_t ordinal = 0;
  StateNumber number = 0;
  std::vector<std::uint32_t> auth_events;  ///< ordinals
};

/// A change of current state that no new event made by itself.
struct StateChangeRow {
  log::Position position;
  std::string record;
};

/// A member's row, as reads need it.
struct MemberRow {
  EventId event_id;
  std::int64_t ordinal = 0;
  std::string membership;
  std::optional<std::int64_t> left_at;
  bool forgotten = false;       ///< the user forgot the room, and the membership is the same since
  bool forgot_history = false;  ///< likewise, and has not joined since: what came after may be a ban, or an invite

  /// The ordinal since which it is known to be so, for `forgotten` to remember: by resolution an event that came long
  /// ago becomes current, and then left_at is the ordinal of what caused that.
  std::int64_t since() const { return std::max(ordinal, left_at.value_or(0)); }
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

/// A new event that waits for what it follows or cites.
struct WaitingEventRow {
  EventId event_id;
  ServerName origin;  ///< who sent it
  std::int64_t received_ms = 0;
  std::int64_t attempts = 0;  ///< to get what it waits for
  std::int64_t next_attempt_ms = 0;
  std::string json;
};

struct ForgottenRow {
  UserId user;
  RoomRow room;
  std::int64_t ordinal = 0;
  std::string membership;
  log::Position position;
};

/// What a user of this server is in a room whose state is not here: invited, knocking, or not any more.
struct RemoteMembershipRow {
  UserId user;
  RoomId room_id;
  RoomVersionId version;
  std::string membership;  ///< invite, knock or leave
  EventId event_id;
  ServerName origin;           ///< who told of it, or was told
  std::string stripped_state;  ///< what is known of the room: an array; with the user's own membership
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

/// What may not be in the database.
std::vector<storage::Check> checks();

namespace tables {

using storage::Session;
using storage::Write;

// rooms
std::optional<RoomRow> find_room(Session& session, const RoomId& room_id);
std::optional<RoomRow> find_room(Session& session, RoomNumber room);
/// Gives the room its number.
RoomNumber insert_room(Write& write, const RoomRow& room, const std::optional<std::string>& room_type);
/// Of several changes of a field the last one counts. Nothing to change is no statement.
void update_summary(Write& write, RoomNumber room, std::span<const SummaryChange> changes,
                    std::optional<std::int64_t> joined_members);
std::int64_t joined_members(Session& session, RoomNumber room);
/// Nobody finds the room any more. Its rows are delete_rows()' to delete.
void delete_room(Write& write, RoomNumber room);
std::vector<RoomNumber> list_deleted_rooms(Session& session);
/// Deletes at most so many of each table's rows of a deleted room; answers whether some may be left.
bool delete_rows(Write& write, RoomNumber room, std::int64_t limit);

// the graph
ForwardExtremities find_forward_extremities(Session& session, RoomNumber room);
void replace_forward_extremities(Write& write, RoomNumber room, const ForwardExtremities& extremities);
/// Events that are not in their place, and one that follows them.
void insert_backward_extremities(Write& write, RoomNumber room, std::span<const EventId> event_ids,
                                 std::int64_t followed_by);
/// The events that are not in their places and are followed between these depths, those first whose followers are the
/// deepest.
std::vector<EventId> list_backward_extremities(Session& session, RoomNumber room, std::int64_t min_depth,
                                               std::int64_t max_depth, std::size_t limit);
void delete_backward_extremity(Write& write, RoomNumber room, const EventId& event_id);
/// A redaction of an event that is not here.
void insert_waiting_redaction(Write& write, RoomNumber room, const EventId& target, std::int64_t ordinal);
void delete_waiting_redactions(Write& write, RoomNumber room, const EventId& target);

/// What the graph waits for an event with.
struct Awaited {
  bool by_followers = false;             ///< it is a backward extremity
  std::vector<std::int64_t> redactions;  ///< their ordinals
};
Awaited find_awaited(Session& session, RoomNumber room, const EventId& event_id);
struct IdentifiedStateEvent {
  const EventId& event_id;
  const StateEventRow& row;
};
void insert_state_events(Write& write, RoomNumber room, std::span<const IdentifiedStateEvent> events);
void each_state_event(Session& session, RoomNumber room, const std::function<void(StateEventRow)>& row);
/// Those of the ordinals that are there, in no order; likewise their ids.
void each_state_event(Session& session, RoomNumber room, std::span<const std::int64_t> ordinals,
                      const std::function<void(StateEventRow)>& row);
void each_state_event_id(Session& session, RoomNumber room, std::span<const std::int64_t> ordinals,
                         const std::function<void(EventId)>& row);
void insert_state_change(Write& write, RoomNumber room, const StateChangeRow& change);

// events that wait
/// One that waits already stays as it is.
void insert_waiting_event(Write& write, RoomNumber room, const WaitingEventRow& event);
void postpone_waiting_event(Write& write, RoomNumber room, const WaitingEventRow& event);
void delete_waiting_events(Write& write, RoomNumber room, std::span<const EventId> event_ids);
/// Those whose next attempt is due, in the order in which they came.
std::vector<WaitingEventRow> list_waiting_events(Session& session, RoomNumber room, std::int64_t now_ms,
                                                 std::size_t limit);
std::int64_t count_waiting_events(Session& session, RoomNumber room);
std::int64_t count_waiting_events(Session& session, RoomNumber room, const ServerName& origin);
std::vector<RoomId> list_rooms_that_wait(Session& session, std::int64_t now_ms);

// purges
struct PurgeRow {
  RoomNumber room = 0;
  std::int64_t up_to = 0;  ///< the ordinal, first_ordinal or a later one, before which events go
  std::int64_t done = 0;   ///< the key of the last event that was looked at, of those from first_ordinal on
  /// Of events with lower ordinals go those that came before this time; 0: those that are less deep than the one at
  /// `up_to`.
  std::int64_t received_before = 0;
  std::int64_t gone = 0;  ///< how many events went since the start; not stored
};
/// In the place of the room's purge that is under way, when there is one.
void replace_purge(Write& write, const PurgeRow& purge);
/// Answers false where one is under way.
bool insert_purge(Write& write, const PurgeRow& purge);
void delete_purge(Write& write, RoomNumber room);
std::optional<PurgeRow> find_purge(Session& session, RoomNumber room);
std::vector<PurgeRow> list_purges(Session& session);
std::int64_t count_purges(Session& session);
/// Some of the events that a purge takes away.
struct PurgedEvent {
  std::int64_t key = 0;
  EventId event_id;
  std::int64_t depth = 0;
  bool is_published = false;
};
/// `depth`: of the event at `up_to`. Those that are in the order of the others come last, in that order.
std::vector<PurgedEvent> list_purged_events(Session& session, const PurgeRow& purge, std::int64_t depth,
                                            std::size_t limit);
void delete_events(Write& write, RoomNumber room, std::span<const PurgedEvent> events);

/// Where a room's messages are: what is no state event, and what came when.
struct MessagesRow {
  RoomRow room;
  std::int64_t from = first_ordinal;  ///< all between first_ordinal and this ordinal are state events
};
/// Rooms with higher numbers, in order.
std::vector<MessagesRow> list_messages_rows(Session& session, RoomNumber after, std::size_t limit);
std::int64_t messages_from(Session& session, RoomNumber room);
/// Never back.
void move_messages_from(Write& write, RoomNumber room, std::int64_t ordinal);
struct MessageTime {
  std::int64_t ordinal = 0;
  std::int64_t received_ms = 0;
};
/// The first message at the ordinal or after it. Costs a look at each state event before that.
std::optional<MessageTime> find_message_from(Session& session, RoomNumber room, std::int64_t ordinal);
/// Messages with ordinals below first_ordinal that came before that time, the oldest first.
std::vector<std::int64_t> list_low_messages_before(Session& session, RoomNumber room, std::int64_t received_ms,
                                                   std::size_t limit);
/// The lowest ordinal, `from` or a later one, of an event that came at that time or later; of no event: the next.
/// Some thirty reads of one small row each, however many events the room has.
std::int64_t find_ordinal_at(Session& session, RoomNumber room, std::int64_t from, std::int64_t received_ms);
/// first_ordinal - 1 where there is no event.
std::int64_t last_ordinal(Session& session, RoomNumber room);

// events
/// `received_ms`: when they came to this server, by its own clock. What events say of their time may be a lie.
void insert_events(Write& write, RoomNumber room, std::span<const EventRow* const> events, std::int64_t received_ms);
/// The last event of a room: what the next one builds on.
std::optional<EventRow> find_last_event(Session& session, RoomNumber room);
std::optional<EventRow> find_event(Session& session, RoomNumber room, std::int64_t ordinal);
/// What those events say of the room's state that are there, in no order: number 0 where they say nothing.
void each_state_entry(Session& session, RoomNumber room, std::span<const EventId> event_ids,
                      const std::function<void(EventId, const StateEntry&)>& row);
/// The lowest ordinal that an event of the room has.
std::int64_t lowest_ordinal(Session& session, RoomNumber room);
/// In room versions 1 and 2 senders choose ids: another room may have the same.
std::optional<EventRow> find_event(Session& session, RoomNumber room, const EventId& event_id);
/// Sequence 0 for one that has none.
std::optional<log::Position> find_position(Session& session, RoomNumber room, std::int64_t ordinal);
void replace_json(Write& write, RoomNumber room, const EventRow& event);
/// An outlier whose place has become known: all but what it is and its ordinal.
void replace_place(Write& write, RoomNumber room, const EventRow& event);
/// The events whose ids are asked for, in no order.
void each_body(Session& session, std::span<const EventId> event_ids, const std::function<void(api::EventBody)>& body);
/// The same with all that is known of them and their rooms.
void each_event_of(Session& session, std::span<const EventId> event_ids,
                   const std::function<void(RoomRow, EventRow)>& row);
/// The bodies of those ordinals that are there, in no order.
void each_body(Session& session, const RoomRow& room, std::vector<std::int64_t> ordinals,
               const std::function<void(api::EventBody)>& body);
void each_json(Session& session, RoomNumber room, std::span<const std::int64_t> ordinals,
               const std::function<void(std::int64_t ordinal, std::string json)>& row);
/// Published events with after < sequence <= up_to, in that order.
void each_event_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to, std::size_t limit,
                            const std::function<void(const RoomRow&, EventRow&&)>& row);
/// Likewise, the state changes.
void each_state_change_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to, std::size_t limit,
                                   const std::function<void(RoomId, StateChangeRow)>& row);

// state
/// Of types and keys that the room does not have.
void insert_states(Write& write, RoomNumber room, std::span<const StateRow* const> states);
/// In the place of the row with that type and state key.
void replace_state(Write& write, RoomNumber room, const StateRow& state);
std::vector<StateRow> list_state(Session& session, RoomNumber room);
/// The bodies of the current state, or of the state after the event at an ordinal.
void each_state_body(Session& session, const RoomRow& room, std::optional<std::int64_t> at,
                     const std::function<void(api::EventBody)>& body);
std::optional<api::EventBody> find_state_body(Session& session, const RoomRow& room, std::optional<std::int64_t> at,
                                              std::string_view type, std::string_view state_key);
bool is_current(Session& session, RoomNumber room, const EventRow& state);
/// The events that came in the place of a state event.
std::vector<EventRow> list_successors(Session& session, RoomNumber room, const EventId& replaced);

// snapshots
void insert_snapshots(Write& write, RoomNumber room, std::span<const StateSnapshot* const> snapshots);
/// With its bases, those that `known` has from there. None for number 0.
StateSnapshotPointer find_snapshot(Session& session, RoomNumber room, std::int64_t number,
                                   const SnapshotCache* known = nullptr);
/// The highest number that a snapshot of the room has; 0 when there is none.
std::int64_t last_snapshot(Session& session, RoomNumber room);

// members
/// A room, and what the user is in it, in one query.
std::optional<RoomOfUser> find_room_of_user(Session& session, const RoomId& room_id, const UserId& user);
void each_joined_member(Session& session, RoomNumber room,
                        const std::function<void(UserId, std::string_view json)>& row);
std::vector<RoomId> list_joined_rooms(Session& session, const UserId& user);
/// Whether the user is joined to a room with that id.
bool is_joined(Session& session, const RoomId& room_id, const UserId& user);
/// Whether a user of the server is joined.
bool is_joined(Session& session, RoomNumber room, const ServerName& server);
/// Whether anybody ever was anything in the room, as far as is known here.
bool has_members(Session& session, RoomNumber room);
/// The servers of joined users, those of most users first.
std::vector<ServerName> list_joined_servers(Session& session, RoomNumber room);
/// The users of a server whose memberships the room has met, without the ids of these.
std::vector<StateRow> list_members_of(Session& session, RoomNumber room, const ServerName& server);

// transactions
std::optional<TransactionResult> find_transaction(Session& session, std::string_view transaction_key);
/// A key that is there already is conflict/constraint, unless its event has been purged.
void insert_transaction(Write& write, std::string_view transaction_key, RoomNumber room, std::int64_t ordinal,
                        std::int64_t stored_s);
/// Answers how many are gone: at most `limit`.
std::int64_t delete_transactions(Write& write, std::int64_t before_s, std::int64_t limit);

// aliases
std::optional<AliasRow> find_alias(Session& session, const RoomAlias& alias);
void insert_alias(Write& write, const RoomAlias& alias, RoomNumber room, const UserId& creator,
                  std::int64_t created_ms);
void delete_alias(Write& write, const RoomAlias& alias);
void move_aliases(Write& write, RoomNumber from, RoomNumber to);
std::vector<RoomAlias> list_aliases(Session& session, RoomNumber room);

// forgotten
void replace_forgotten(Write& write, const ForgottenRow& row);
std::optional<ForgottenRow> find_forgotten(Session& session, const RoomRow& room, const UserId& user);
std::vector<ForgottenRow> list_forgotten_by_sequence(Session& session, std::uint64_t after, std::uint64_t up_to,
                                                     std::size_t limit);

// memberships of rooms that are not here
void replace_remote_membership(Write& write, const RemoteMembershipRow& row);
void delete_remote_membership(Write& write, const RoomId& room_id, const UserId& user);
std::optional<RemoteMembershipRow> find_remote_membership(Session& session, const RoomId& room_id, const UserId& user);
std::vector<RemoteMembershipRow> list_remote_memberships_by_sequence(Session& session, std::uint64_t after,
                                                                     std::uint64_t up_to, std::size_t limit);

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
