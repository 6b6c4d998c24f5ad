// backplane.room_server: rooms. Everything that changes a room goes through it, one room at a time in its lane, and
// comes out as a record of topic `room_events` (durable, by room), written in the change's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "backplane/api/idempotency.h"
#include "backplane/api/method.h"
#include "backplane/api/user_api.h"
#include "backplane/log/position.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/membership.h"

namespace backplane::api {

/// What a local user wants to say in a room. The room server builds, signs and stores the event.
struct Draft {
  RoomId room_id;
  UserId sender;
  std::string type;
  std::optional<std::string> state_key;
  json::Raw content;                             ///< an object
  EventId redacts;                               ///< of m.room.redaction
  std::optional<std::int64_t> origin_server_ts;  ///< application services may set it
};
BACKPLANE_FIELDS(Draft, room_id, sender, type, state_key, content, redacts, origin_server_ts);

struct SubmitDraftRequest {
  Draft draft;
  IdempotencyKey key;
};
BACKPLANE_FIELDS(SubmitDraftRequest, draft, key);
struct SubmitDraftResponse {
  EventId event_id;
  log::Position position;
};
BACKPLANE_FIELDS(SubmitDraftResponse, event_id, position);

struct MemberProfile {
  UserId user;
  std::optional<std::string> displayname;
  std::optional<std::string> avatar_url;
};
BACKPLANE_FIELDS(MemberProfile, user, displayname, avatar_url);

struct StateDraft {
  std::string type;
  std::string state_key;
  json::Raw content;
};
BACKPLANE_FIELDS(StateDraft, type, state_key, content);

/// Client-Server API, POST /createRoom: the members have its names and meaning.
struct CreateRoomRequest {
  MemberProfile creator;
  DeviceId device;
  std::string room_version;  ///< empty: the default
  std::string preset;        ///< private_chat, trusted_private_chat, public_chat; empty: by visibility
  bool published = false;    ///< visibility: public
  std::string room_alias_name;
  std::optional<std::string> name;
  std::optional<std::string> topic;
  std::vector<MemberProfile> invite;
  bool is_direct = false;
  std::vector<StateDraft> initial_state;
  json::Raw creation_content;
  json::Raw power_level_content_override;
};
BACKPLANE_FIELDS(CreateRoomRequest, creator, device, room_version, preset, published, room_alias_name, name, topic,
                 invite, is_direct, initial_state, creation_content, power_level_content_override);
struct CreateRoomResponse {
  RoomId room_id;
  RoomAlias room_alias;  ///< empty when none was asked for
  log::Position position;
};
BACKPLANE_FIELDS(CreateRoomResponse, room_id, room_alias, position);

/// Client-Server API, POST /rooms/{roomId}/upgrade.
struct UpgradeRoomRequest {
  RoomId room_id;
  MemberProfile user;
  DeviceId device;
  std::string new_version;
  std::vector<UserId> additional_creators;
};
BACKPLANE_FIELDS(UpgradeRoomRequest, room_id, user, device, new_version, additional_creators);
struct UpgradeRoomResponse {
  RoomId replacement_room;
  log::Position position;  ///< in the old room
};
BACKPLANE_FIELDS(UpgradeRoomResponse, replacement_room, position);

struct DeleteRoomRequest {
  RoomId room_id;
};
BACKPLANE_FIELDS(DeleteRoomRequest, room_id);

struct PurgeHistoryRequest {
  RoomId room_id;
  EventId before;              ///< what came before this event goes
  std::int64_t before_ts = 0;  ///< or, without an event, what came before that time (milliseconds since the epoch)
};
BACKPLANE_FIELDS(PurgeHistoryRequest, room_id, before, before_ts);

enum class MembershipAction : std::uint8_t { join, leave, invite, kick, ban, unban, knock };
BACKPLANE_ENUM(MembershipAction, join, leave, invite, kick, ban, unban, knock);

struct ChangeMembershipRequest {
  RoomId room_id;
  UserId sender;
  DeviceId device;
  MembershipAction action = MembershipAction::join;
  MemberProfile target;  ///< for join, leave and knock the sender
  std::optional<std::string> reason;
  bool is_direct = false;
  json::Raw third_party_signed;
  json::Raw extra_content;      ///< further members of the event's content
  std::vector<ServerName> via;  ///< servers to ask when the room is not here
};
BACKPLANE_FIELDS(ChangeMembershipRequest, room_id, sender, device, action, target, reason, is_direct,
                 third_party_signed, extra_content, via);
struct ChangeMembershipResponse {
  RoomId room_id;
  EventId event_id;  ///< of the membership that holds now
  log::Position position;
};
BACKPLANE_FIELDS(ChangeMembershipResponse, room_id, event_id, position);

struct RoomUserRequest {
  RoomId room_id;
  UserId user;
};
BACKPLANE_FIELDS(RoomUserRequest, room_id, user);

/// An event in the form of the server-server API, with what this server keeps in `unsigned` (prev_content,
/// replaces_state, prev_sender, redacted_because).
struct EventBody {
  EventId event_id;
  RoomId room_id;
  json::Raw event;
  RoomVersionId room_version;
  std::int64_t content_version = 0;  ///< raised by redaction and purge
};
BACKPLANE_FIELDS(EventBody, event_id, room_id, event, room_version, content_version);

/// State as a user may see it: of now for a joined user, of their leaving for one who was there.
struct GetStateRequest {
  RoomId room_id;
  UserId user;
};
BACKPLANE_FIELDS(GetStateRequest, room_id, user);
struct GetStateResponse {
  std::vector<EventBody> events;
};
BACKPLANE_FIELDS(GetStateResponse, events);
struct GetStateEventRequest {
  RoomId room_id;
  UserId user;
  std::string type;
  std::string state_key;
};
BACKPLANE_FIELDS(GetStateEventRequest, room_id, user, type, state_key);
struct GetStateEventResponse {
  EventBody event;
};
BACKPLANE_FIELDS(GetStateEventResponse, event);

struct JoinedMembersResponse {
  std::vector<MemberProfile> members;
};
BACKPLANE_FIELDS(JoinedMembersResponse, members);
struct ListJoinedRoomsRequest {
  UserId user;
};
BACKPLANE_FIELDS(ListJoinedRoomsRequest, user);
struct ListJoinedRoomsResponse {
  std::vector<RoomId> rooms;
};
BACKPLANE_FIELDS(ListJoinedRoomsResponse, rooms);

struct FindMembershipResponse {
  std::string membership; /* empty: never was there */
  EventId event_id;
};
BACKPLANE_FIELDS(FindMembershipResponse, membership, event_id);

struct GetEventsRequest {
  std::vector<EventId> event_ids;
  /// Empty, or whom they are for: then only events of rooms that the server is in are answered, none that were
  /// rejected, redacted where the server may not see them, and all without `unsigned`.
  ServerName for_server = {};
};
BACKPLANE_FIELDS(GetEventsRequest, event_ids, for_server);
struct GetEventsResponse {
  std::vector<EventBody> events; /* those that are there, in the order asked for */
};
BACKPLANE_FIELDS(GetEventsResponse, events);

enum class ReceivedKind : std::uint8_t {
  new_event,  ///< happened now: clients are told
  history,    ///< came after what follows it: never in /sync
  outlier,    ///< for those that cite it; its place is not known
  /// The first one of this server to join, again maybe, by way of another server: with state_before. What was current
  /// here before is not any more.
  way_in,
};
BACKPLANE_ENUM(ReceivedKind, new_event, history, outlier, way_in);

/// A PDU of another server, in the format of the room's version.
struct ReceivedEvent {
  json::Raw event;
  ReceivedKind kind = ReceivedKind::new_event;
  /// The state before it, as another server says: its events must be here, as outliers at least. Only then may
  /// prev_events be missing.
  std::optional<std::vector<EventId>> state_before;
};
BACKPLANE_FIELDS(ReceivedEvent, event, kind, state_before);
struct ReceiveEventsRequest {
  RoomId room_id;
  std::vector<ReceivedEvent> events;  ///< at most 1000, in any order
  /// Who sent them, and is asked for what has to come before new events. Empty: nobody is asked.
  ServerName origin = {};
};
BACKPLANE_FIELDS(ReceiveEventsRequest, room_id, events, origin);

enum class ReceivedOutcome : std::uint8_t {
  accepted,     ///< also an outlier, or history
  soft_failed,  ///< taken, and clients are not told
  rejected,     ///< taken note of
  known,        ///< was here already; nothing is said of what became of it
  waiting,      ///< kept until others have come, which are being asked for
  incomplete,   ///< not taken: others have to come first
  invalid,      ///< not taken: no event of this room
};
BACKPLANE_ENUM(ReceivedOutcome, accepted, soft_failed, rejected, known, waiting, incomplete, invalid);
struct ReceivedResult {
  EventId event_id;  ///< empty where there is none
  ReceivedOutcome outcome = ReceivedOutcome::invalid;
  std::string reason;  ///< for people
  std::vector<EventId> missing_prev_events;
  std::vector<EventId> missing_auth_events;  ///< or of state_before
};
BACKPLANE_FIELDS(ReceivedResult, event_id, outcome, reason, missing_prev_events, missing_auth_events);
struct ReceiveEventsResponse {
  std::vector<ReceivedResult> results;  ///< as many as there were events, in their order
};
BACKPLANE_FIELDS(ReceiveEventsResponse, results);

struct StateAtEventRequest {
  RoomId room_id;
  EventId event_id;
  bool auth_chain = false;  ///< wanted too
};
BACKPLANE_FIELDS(StateAtEventRequest, room_id, event_id, auth_chain);
struct StateAtEventResponse {
  std::vector<EventId> state;
  std::vector<EventId> auth_chain;
};
BACKPLANE_FIELDS(StateAtEventResponse, state, auth_chain);

/// Back from some events by way of their prev_events, the deepest first.
struct ListEarlierEventsRequest {
  RoomId room_id;
  std::vector<EventId> from;
  bool with_from = false;      ///< they are answered too
  std::vector<EventId> until;  ///< neither these nor what only they follow
  std::int64_t min_depth = 0;
  std::uint32_t limit = 20;  ///< at most 1000
  /// Empty, or whom they are for: then they come redacted where that server may not see them, and without `unsigned`.
  ServerName for_server = {};
};
BACKPLANE_FIELDS(ListEarlierEventsRequest, room_id, from, with_from, until, min_depth, limit, for_server);

struct ServerInRoomRequest {
  RoomId room_id;
  ServerName server;
};
BACKPLANE_FIELDS(ServerInRoomRequest, room_id, server);
struct ServerInRoomResponse {
  RoomVersionId room_version;
  bool joined = false;    ///< a user of the server is
  bool denied = false;    ///< by the room's m.room.server_acl
  bool resident = false;  ///< a user of this server is joined: what is known here of the room is of now
};
BACKPLANE_FIELDS(ServerInRoomResponse, room_version, joined, denied, resident);

struct ServersInRoomRequest {
  RoomId room_id;
};
BACKPLANE_FIELDS(ServersInRoomRequest, room_id);
struct ServersInRoomResponse {
  std::vector<ServerName> servers;
};
BACKPLANE_FIELDS(ServersInRoomResponse, servers);

struct AuthChainRequest {
  RoomId room_id;
  std::vector<EventId> event_ids;  ///< at most 1000
};
BACKPLANE_FIELDS(AuthChainRequest, room_id, event_ids);

struct MakeMembershipEventRequest {
  RoomId room_id;
  UserId user;                                               ///< of another server
  matrix::Membership membership = matrix::Membership::join;  ///< join, leave or knock
  std::vector<RoomVersionId> room_versions;                  ///< that the other server supports; empty: any
};
BACKPLANE_FIELDS(MakeMembershipEventRequest, room_id, user, membership, room_versions);
struct MakeMembershipEventResponse {
  RoomVersionId room_version;
  json::Raw event;  ///< without id, hashes and signatures
};
BACKPLANE_FIELDS(MakeMembershipEventResponse, room_version, event);

struct SignRestrictedJoinRequest {
  RoomId room_id;
  json::Raw event;
};
BACKPLANE_FIELDS(SignRestrictedJoinRequest, room_id, event);
struct SignRestrictedJoinResponse {
  EventId event_id;
  json::Raw event;  ///< canonical, without `unsigned`, with this server's signature beside those that it had
};
BACKPLANE_FIELDS(SignRestrictedJoinResponse, event_id, event);

/// Server-Server API, PUT /v2/invite: another server's user invites one of this server.
struct ReceiveInviteRequest {
  RoomId room_id;
  RoomVersionId room_version;
  json::Raw event;
  std::vector<json::Raw> room_state;  ///< `invite_room_state`
};
BACKPLANE_FIELDS(ReceiveInviteRequest, room_id, room_version, event, room_state);
struct ReceiveInviteResponse {
  EventId event_id;
  json::Raw event;  ///< canonical, without `unsigned`, with this server's signature beside those that it had
};
BACKPLANE_FIELDS(ReceiveInviteResponse, event_id, event);

/// A page of a room's history that a client is about to see.
struct BackfillRequest {
  RoomId room_id;
  std::int64_t depth = 0;  ///< of the page's last event
  std::int64_t from_depth =
      0;                     ///< where the page begins: what only deeper events follow is not asked for; 0: at the end
  std::uint32_t limit = 20;  ///< of events to get; at most 100
};
BACKPLANE_FIELDS(BackfillRequest, room_id, depth, from_depth, limit);
struct BackfillResponse {
  bool came = false;  ///< history that was not here before
};
BACKPLANE_FIELDS(BackfillResponse, came);

struct AliasRequest {
  RoomAlias alias;
  UserId user;
  RoomId room_id;
};
BACKPLANE_FIELDS(AliasRequest, alias, user, room_id);
struct FindAliasResponse {
  RoomId room_id;
  std::vector<ServerName> servers;
};
BACKPLANE_FIELDS(FindAliasResponse, room_id, servers);
struct ListAliasesResponse {
  std::vector<RoomAlias> aliases;
};
BACKPLANE_FIELDS(ListAliasesResponse, aliases);

struct PublishedRequest {
  RoomId room_id;
  UserId user;
  bool published = false;
};
BACKPLANE_FIELDS(PublishedRequest, room_id, user, published);
struct PublishedResponse {
  bool published = false;
};
BACKPLANE_FIELDS(PublishedResponse, published);

/// Client-Server API, POST /publicRooms.
struct ListPublicRoomsRequest {
  std::uint32_t limit = 100;
  std::string since;
  std::string search_term;
  std::vector<std::optional<std::string>> room_types;  ///< empty: every type; nullopt: rooms without one
};
BACKPLANE_FIELDS(ListPublicRoomsRequest, limit, since, search_term, room_types);
struct PublicRoom {
  RoomId room_id;
  std::int64_t num_joined_members = 0;
  bool world_readable = false;
  bool guest_can_join = false;
  std::optional<std::string> name, topic, avatar_url, canonical_alias, join_rule, room_type;
};
BACKPLANE_FIELDS(PublicRoom, room_id, num_joined_members, world_readable, guest_can_join, name, topic, avatar_url,
                 canonical_alias, join_rule, room_type);
struct ListPublicRoomsResponse {
  std::vector<PublicRoom> chunk;
  std::string next_batch, prev_batch;  ///< empty: none
  std::int64_t total_room_count_estimate = 0;
};
BACKPLANE_FIELDS(ListPublicRoomsResponse, chunk, next_batch, prev_batch, total_room_count_estimate);

struct RoomVersionsResponse {
  std::string default_version;
  std::vector<std::string> stable;
};
BACKPLANE_FIELDS(RoomVersionsResponse, default_version, stable);

struct BACKPLANE_API RoomServer : Interface {
  static constexpr std::string_view interface_id = "backplane.room_server/1";
  RoomServer();
  ~RoomServer() override;

  Method<Nothing, RoomVersionsResponse> get_room_versions{*this, "get_room_versions", {.repeatable = true}};
  /// Errors: conflict/room_in_use, invalid/invalid_room_state, invalid/unsupported_room_version, invalid/bad_json.
  /// One transaction: after a crash the whole room is there, or none of it. Users of other servers are invited once it
  /// is there, one after the other; who cannot be is not.
  DeferredMethod<CreateRoomRequest, CreateRoomResponse> create_room{*this, "create_room"};
  /// Makes a room in the place of another: its state, aliases and place in the directory go there, and the old one gets
  /// a tombstone. Errors: as create_room; denied/forbidden for who may not set a tombstone; not_found.
  Method<UpgradeRoomRequest, UpgradeRoomResponse> upgrade_room{
      *this, "upgrade_room", {.routing = Routing::key, .key_field = "room_id"}};
  /// Errors: denied (the auth rules), not_found (the room, or what is redacted), invalid.
  Method<SubmitDraftRequest, SubmitDraftResponse> submit_draft{
      *this, "submit_draft", {.repeatable = true, .routing = Routing::key, .key_field = "draft.room_id"}};
  /// May ask other servers. Errors: as submit_draft; not_found when no server knows the room.
  DeferredMethod<ChangeMembershipRequest, ChangeMembershipResponse> change_membership{
      *this, "change_membership", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};
  /// Errors: invalid/not_left while the user is in the room; denied for one who never was.
  Method<RoomUserRequest, PositionResponse> forget_room{
      *this, "forget_room", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};

  /// For administrators. The users of this server leave the room, and it is here no more: as if it had never been, but
  /// for those who were told. The answer comes then; the rows go by and by. Errors: not_found.
  Method<DeleteRoomRequest, PositionResponse> delete_room{
      *this, "delete_room", {.routing = Routing::key, .key_field = "room_id"}};

  /// For administrators. What was said in the room before an event, or a time, goes, by and by, for good; state events
  /// stay. Errors: not_found (the room, or the event in it), invalid when neither is said.
  Method<PurgeHistoryRequest, Nothing> purge_history{
      *this, "purge_history", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};

  /// Events of other servers, whose signatures the caller has checked ("Checks performed on receipt of a PDU", 2): does
  /// all the other checks, and answers when what came of them is on disk. One commit. Errors: not_found for a room that
  /// is not here, invalid/too_large for too many events.
  Method<ReceiveEventsRequest, ReceiveEventsResponse> receive_events{
      *this, "receive_events", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};

  /// Server-Server API, GET /state_ids: the state before an event, and the auth chains of that state. Errors: not_found
  /// for an event that is not here, or whose place is not known.
  Method<StateAtEventRequest, StateAtEventResponse> get_state_at_event{
      *this, "get_state_at_event", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};

  /// Errors of the reads: denied/not_in_room, not_found.
  Method<GetStateRequest, GetStateResponse> get_state{*this, "get_state", {.repeatable = true}};
  Method<GetStateEventRequest, GetStateEventResponse> get_state_event{*this, "get_state_event", {.repeatable = true}};
  Method<RoomUserRequest, JoinedMembersResponse> list_joined_members{
      *this, "list_joined_members", {.repeatable = true}};
  Method<ListJoinedRoomsRequest, ListJoinedRoomsResponse> list_joined_rooms{
      *this, "list_joined_rooms", {.repeatable = true}};
  Method<RoomUserRequest, FindMembershipResponse> find_membership{*this, "find_membership", {.repeatable = true}};
  /// Bodies by id, whoever asks: visibility is the caller's to decide (wire 2).
  Method<GetEventsRequest, GetEventsResponse> get_events{*this, "get_events", {.repeatable = true}};

  /// Server-Server API, GET /backfill and POST /get_missing_events: what is here of the history before some events,
  /// without those that were rejected. Errors: not_found; denied/not_in_room when `for_server` is not.
  Method<ListEarlierEventsRequest, GetEventsResponse> list_earlier_events{
      *this, "list_earlier_events", {.repeatable = true}};

  /// Gets the history of the room from other servers, where some of it is missing at or after that depth (wire 2).
  /// Where nothing is missing, or nobody can be asked, the answer comes at once.
  DeferredMethod<BackfillRequest, BackfillResponse> backfill{
      *this, "backfill", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};

  // For requests of other servers (wire 3)

  /// What has to be known of a server before it is answered about a room: may it ask (m.room.server_acl), and is it
  /// there? Three small reads. Errors: not_found for a room that is not here.
  Method<ServerInRoomRequest, ServerInRoomResponse> get_server_in_room{
      *this, "get_server_in_room", {.repeatable = true}};
  /// The servers of joined users, this one among them, those of most users first. Goes over an index of the members.
  /// Errors: not_found.
  Method<ServersInRoomRequest, ServersInRoomResponse> list_servers_in_room{
      *this, "list_servers_in_room", {.repeatable = true}};
  /// Server-Server API, GET /event_auth: the auth chains of some events, in no order, without `unsigned`; in rooms of
  /// version 12 with the create event, which nobody cites. Errors: not_found for an event that is not here or was
  /// rejected, invalid/too_large for too many.
  Method<AuthChainRequest, GetEventsResponse> get_auth_chain{*this, "get_auth_chain", {.repeatable = true}};

  /// Server-Server API, GET /make_join, /make_leave and /make_knock: what the other server makes its user's membership
  /// event of. Nothing changes. Errors: not_found for a room that is not here, or that nobody of this server is in;
  /// invalid/incompatible_room_version with a field room_version; denied/forbidden by the authorization rules; of a
  /// restricted join also invalid/unable_to_authorise_join when this server does not know whether the user is in one of
  /// the rooms that it takes, and invalid/unable_to_grant_join when nobody of this server may invite.
  Method<MakeMembershipEventRequest, MakeMembershipEventResponse> make_membership_event{
      *this, "make_membership_event", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};
  /// PUT /send_join: signs the join of another server's user whose join_authorised_via_users_server is a user of this
  /// server, before it is received. Nothing else is signed: it has to be allowed by the current state, the user in one
  /// of the rooms that it takes, and the one who vouches for that a member with the power to invite. The caller has
  /// checked the signatures that it has. Errors: as make_membership_event; invalid/bad_json, invalid/too_large and
  /// invalid/invalid_param for what is no such event.
  Method<SignRestrictedJoinRequest, SignRestrictedJoinResponse> sign_restricted_join{
      *this, "sign_restricted_join", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};

  /// Signs the invite of a user of this server, and tells the user. The caller has checked the signatures of the event
  /// (and of `room_state`, where that is of PDUs), the room's m.room.server_acl, and that the user exists. Errors:
  /// invalid/unsupported_room_version, invalid/bad_json, invalid/too_large and invalid/invalid_param for what is no
  /// such invite; in a room that this server is in denied/forbidden by the authorization rules.
  Method<ReceiveInviteRequest, ReceiveInviteResponse> receive_invite{
      *this, "receive_invite", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};

  Method<AliasRequest, FindAliasResponse> find_alias{*this, "find_alias", {.repeatable = true}};
  /// Errors: conflict/alias_in_use, denied, not_found (the room).
  Method<AliasRequest, Nothing> set_alias{*this, "set_alias", {.routing = Routing::key, .key_field = "room_id"}};
  /// The room is the one that the alias points to, as find_alias says. Errors: denied, not_found (the alias, also when
  /// it points to another room).
  Method<AliasRequest, Nothing> delete_alias{*this, "delete_alias", {.routing = Routing::key, .key_field = "room_id"}};
  Method<RoomUserRequest, ListAliasesResponse> list_aliases{*this, "list_aliases", {.repeatable = true}};
  Method<PublishedRequest, PublishedResponse> find_published{*this, "find_published", {.repeatable = true}};
  Method<PublishedRequest, PublishedResponse> set_published{
      *this, "set_published", {.repeatable = true, .routing = Routing::key, .key_field = "room_id"}};
  Method<ListPublicRoomsRequest, ListPublicRoomsResponse> list_public_rooms{
      *this, "list_public_rooms", {.repeatable = true}};

  /// The snapshot of topic room_events: every stored event as its record of kind new_event, redacted ones as they are
  /// now, `forgotten`, and the last of a user's records `invite`, `knock` or `retired` of a room; in order of position.
  Method<ListRecordsRequest, ListRecordsResponse> list_room_events{*this, "list_room_events", {.repeatable = true}};
};

enum class RoomEventKind : std::uint8_t {
  new_event,      ///< happened now
  history,        ///< backfilled: never in /sync
  state_changed,  ///< by resolution; told before the event that was the cause
  invite,         ///< to a room that is not here
  knock,
  retired,   ///< an invite or knock of that kind is void
  redacted,  ///< event_id's body changed: `event` is the new one
  purged,
  room_deleted,
  state_rewritten,
  forgotten,  ///< `membership.user` forgot the room
};
BACKPLANE_ENUM(RoomEventKind, new_event, history, state_changed, invite, knock, retired, redacted, purged, room_deleted,
               state_rewritten, forgotten);

/// A change of current state: what `type` and `state_key` named before and name now.
struct StateChange {
  std::string type;
  std::string state_key;
  EventId old_event_id;
  EventId new_event_id;
};
BACKPLANE_FIELDS(StateChange, type, state_key, old_event_id, new_event_id);

struct MembershipChange {
  UserId user;
  std::string before;  ///< empty: was never there
  std::string after;
};
BACKPLANE_FIELDS(MembershipChange, user, before, after);

/// Topic room_events, logs 2, 4 and 6; key: the room.
struct RoomEventRecord {
  RoomEventKind kind = RoomEventKind::new_event;
  RoomId room_id;
  RoomVersionId room_version;
  EventId event_id;
  json::Raw event;  ///< as EventBody::event; empty when it is above 64 KiB: ask get_events
  std::int64_t content_version = 0;
  std::int64_t topological = 0;  ///< the event's depth: the order of /messages, before the position
  std::string type;
  std::string sender;
  std::optional<StateChange> state_change;
  std::string history_visibility;  ///< in force before the event (which may itself change it)
  std::optional<MembershipChange> membership;
  DeviceId device;  ///< of the sender, for the echo of the transaction id
  TransactionId transaction_id;
  json::Raw stripped_state;  ///< of an invite or knock without a room: an array
};
BACKPLANE_FIELDS(RoomEventRecord, kind, room_id, room_version, event_id, event, content_version, topological, type,
                 sender, state_change, history_visibility, membership, device, transaction_id, stripped_state);
inline constexpr std::string_view room_events_topic = "room_events";

}  // namespace backplane::api
