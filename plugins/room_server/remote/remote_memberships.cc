#include "remote/remote_memberships.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "backplane/api/ask.h"
#include "backplane/matrix/event_hash.h"
#include "input/input.h"
#include "missing/gap.h"
#include "remote/finish_template.h"
#include "remote/make_invite.h"
#include "remote/remote_membership.h"
#include "remote/room_of_others.h"

namespace backplane::room_server {
namespace {

using api::MembershipAction;
using matrix::Membership;

/// So many servers are asked, one after the other.
constexpr std::size_t max_servers = 5;

std::vector<RoomVersionId> supported_versions() {
  std::vector<RoomVersionId> versions;
  for (const auto& version : matrix::room_versions()) versions.emplace_back(std::string(version.id));
  return versions;
}

/// Whether another server may say something else: this one does not answer, is not in the room itself, or cannot know.
bool is_worth_another(const Error& error) {
  return error.code != ErrorCode::denied && error.reason != "incompatible_room_version";
}

api::SendRemoteMembershipRequest send_request(const matrix::Event& event, const ServerName& server) {
  return {server,
          event.room_id(),
          RoomVersionId(std::string(event.room_version().id)),
          event.event_id(),
          {std::string(event.json())}};
}

}  // namespace

void RemoteMemberships::stop() {
  constexpr Duration longest = std::chrono::minutes(1);
  if (!gate_.close_and_wait(environment_.clock, environment_.clock.now() + longest))
    environment_.logger.warning("memberships are still being asked for", {{"number", gate_.inside()}});
}

bool RemoteMemberships::is_invite_elsewhere(const api::ChangeMembershipRequest& request) const {
  return request.action == MembershipAction::invite &&
         !matrix::is_on_server(request.target.user.view(), environment_.server_name);
}

Result<RemoteMemberships::Way> RemoteMemberships::find_way(const api::ChangeMembershipRequest& request) const {
  const bool enters = request.action == MembershipAction::join || request.action == MembershipAction::knock;
  if (!enters && request.action != MembershipAction::leave) return Way{};
  return environment_.store.read([&](storage::Session& session) {
    Way way;
    way.held = tables::find_remote_membership(session, request.room_id, request.sender);
    const auto room = tables::find_room(session, request.room_id);
    const bool is_asked = way.held && way.held->membership != "leave";
    if (room && tables::is_joined(session, room->number, environment_.server_name)) return way;
    if (!enters && !is_asked) return way;
    const auto residents = room ? tables::list_joined_servers(session, room->number) : std::vector<ServerName>();
    // A room that all have left, as far as is known, has only this server left to ask. One that nobody of this server
    // ever came into is not known at all: a join of it failed half-way.
    if (room && residents.empty() && !is_asked && tables::has_members(session, room->number)) return way;
    const auto add = [&](const ServerName& server) {
      if (server.empty() || server == environment_.server_name) return;
      if (std::ranges::find(way.servers, server) == way.servers.end()) way.servers.push_back(server);
    };
    if (is_asked) add(way.held->origin);
    for (const ServerName& server : request.via) add(server);
    for (const ServerName& server : residents) add(server);
    // Of room versions before 12: who made the room may still be in it.
    const std::string_view id = request.room_id.view();
    if (const auto colon = id.find(':'); colon != std::string_view::npos)
      add(ServerName(std::string(id.substr(colon + 1))));
    if (way.servers.size() > max_servers) way.servers.resize(max_servers);
    return way;
  });
}

void RemoteMemberships::change(const api::ChangeMembershipRequest& request,
                               const api::Reply<api::ChangeMembershipResponse>& reply) {
  if (!others_.can_ask()) return (void)reply(change_membership(environment_, request));
  const bool invites = is_invite_elsewhere(request);
  if (!invites) {
    const auto way = find_way(request);
    if (!way) return (void)reply(way.error());
    if (way->servers.empty() && !way->held) return (void)reply(change_membership(environment_, request));
  }
  const auto entry = std::make_shared<Gate::Entry>(gate_.enter());
  if (!*entry) return (void)reply(unavailable("stopping", "this host is shutting down"));
  if (invites) {
    return start<Response>(invite(request), [entry, reply](Result<Response> result) { reply(std::move(result)); });
  }
  in_turn(request.room_id, [this, request, reply, entry] {
    start<Response>(conduct(request), [this, room_id = request.room_id, reply, entry](Result<Response> result) {
      end_turn(room_id);
      reply(std::move(result));
    });
  });
}

void RemoteMemberships::in_turn(const RoomId& room_id, std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    const auto [room, is_first] = turns_.try_emplace(room_id);
    if (!is_first) return room->second.push_back(std::move(work));
  }
  work();
}

void RemoteMemberships::end_turn(const RoomId& room_id) {
  std::function<void()> next;
  {
    const std::lock_guard lock(mutex_);
    const auto room = turns_.find(room_id);
    if (room->second.empty()) {
      turns_.erase(room);
      return;
    }
    next = std::move(room->second.front());
    room->second.pop_front();
  }
  if (!others_.workers.submit(next)) next();
}

Task<Result<RemoteMemberships::Response>> RemoteMemberships::conduct(api::ChangeMembershipRequest request) {
  BACKPLANE_CO_TRY(way, find_way(request));  // while this waited for its turn the room may have come
  if (way.servers.empty()) {
    auto changed = change_membership(environment_, request);
    if (changed && way.held)
      BACKPLANE_CO_CHECK(delete_remote_membership(environment_, request.room_id, request.sender));
    co_return changed;
  }
  if (request.action == MembershipAction::leave) co_return co_await leave(std::move(request), std::move(way));
  co_return co_await ask_in_turn(std::move(request), std::move(way.servers));
}

Task<Result<RemoteMemberships::Response>> RemoteMemberships::ask_in_turn(api::ChangeMembershipRequest request,
                                                                         std::vector<ServerName> servers) {
  Error failure = unavailable("stopping", "this host is shutting down");
  for (std::size_t i = 0; i < servers.size() && !gate_.is_closed(); ++i) {
    Result<Response> changed = Error();
    if (request.action == MembershipAction::join) changed = co_await join(request, servers[i]);
    else changed = co_await knock(request, servers[i]);
    if (changed) co_return changed;
    environment_.logger.info("another server was of no help", {{"server", servers[i].view()},
                                                               {"room_id", request.room_id.view()},
                                                               {"action", enum_name(request.action)},
                                                               {"error", changed.error().text}});
    // What a server of the room says counts more than that another is not in it.
    if (i == 0 || changed.error().code != ErrorCode::not_found) failure = changed.error();
    if (!is_worth_another(changed.error())) break;
  }
  co_return failure;
}

Task<Result<RemoteMemberships::Made>> RemoteMemberships::make(api::ChangeMembershipRequest request, ServerName server) {
  const Membership membership = membership_of(request.action);
  const api::MakeRemoteMembershipRequest form{server, request.room_id, request.sender, membership,
                                              supported_versions()};
  BACKPLANE_CO_TRY(answer, co_await api::ask(others_.workers, others_.federation.make_membership, form));
  const matrix::RoomVersion* const version = matrix::find_room_version(answer.room_version.view());
  if (version == nullptr)
    co_return invalid("incompatible_room_version", "the room has version " + answer.room_version.str());
  BACKPLANE_CO_TRY(content, membership_content(request));
  const TemplateWish wish{request.room_id, request.sender, membership, std::move(content)};
  BACKPLANE_CO_TRY(event, finish_template(environment_, answer.event, *version, wish));
  co_return Made{std::move(event), version, std::move(server)};
}

Task<Result<RemoteMemberships::Response>> RemoteMemberships::join(api::ChangeMembershipRequest request,
                                                                  ServerName server) {
  BACKPLANE_CO_TRY(made, co_await make(request, server));
  const api::SendRemoteMembershipRequest sent = send_request(made.event, made.server);
  BACKPLANE_CO_TRY(answer, co_await api::ask(others_.workers, others_.federation.send_join, sent));
  co_return co_await enter_room(std::move(made), std::move(answer));
}

Task<Result<RemoteMemberships::Response>> RemoteMemberships::enter_room(Made made, api::SendRemoteJoinResponse sent) {
  BACKPLANE_CO_TRY(room, RoomOfOthers::read(std::move(made.event), std::move(sent)));
  BACKPLANE_CO_CHECK(room.begin(environment_));
  const RoomId room_id = room.join().room_id();
  Gap gap(environment_, others_, room_id, *made.version, made.server);
  BACKPLANE_CO_CHECK(co_await gap.fill(room.received(), room.take_events()));
  BACKPLANE_CO_TRY(position, room.finish(environment_));
  environment_.logger.info(
      "entered a room",
      {{"room_id", room_id.view()}, {"user_id", room.join().sender().view()}, {"server", made.server.view()}});
  co_return Response{room_id, room.join().event_id(), position};
}

Task<Result<RemoteMemberships::Response>> RemoteMemberships::knock(api::ChangeMembershipRequest request,
                                                                   ServerName server) {
  BACKPLANE_CO_TRY(made, co_await make(request, server));
  const api::SendRemoteMembershipRequest sent = send_request(made.event, made.server);
  BACKPLANE_CO_TRY(answer, co_await api::ask(others_.workers, others_.federation.send_knock, sent));
  RemoteMembershipRow row{request.sender,
                          request.room_id,
                          sent.room_version,
                          "knock",
                          made.event.event_id(),
                          made.server,
                          stripped_state_of(answer.room_state, made.event),
                          {}};
  BACKPLANE_CO_TRY(position, store_remote_membership(environment_, std::move(row)));
  co_return Response{request.room_id, made.event.event_id(), position};
}

/// The user is rid of the invite whatever becomes of the servers that it is of.
Task<Result<RemoteMemberships::Response>> RemoteMemberships::leave(api::ChangeMembershipRequest request, Way way) {
  RemoteMembershipRow row = *way.held;
  row.membership = "leave";
  row.stripped_state = "[]";
  for (std::size_t i = 0; i < way.servers.size() && !gate_.is_closed(); ++i) {
    auto made = co_await make(request, way.servers[i]);
    if (made) {
      const api::SendRemoteMembershipRequest sent = send_request(made->event, made->server);
      const auto left = co_await api::ask(others_.workers, others_.federation.send_leave, sent);
      if (left) {
        row.event_id = made->event.event_id();
        break;
      }
    }
    environment_.logger.info("another server does not know that an invite was refused",
                             {{"server", way.servers[i].view()}, {"room_id", request.room_id.view()}});
  }
  const EventId event_id = row.event_id;
  BACKPLANE_CO_TRY(position, store_remote_membership(environment_, std::move(row)));
  co_return Response{request.room_id, event_id, position};
}

Task<Result<RemoteMemberships::Response>> RemoteMemberships::invite(api::ChangeMembershipRequest request) {
  BACKPLANE_CO_TRY(made, make_invite(environment_, request));
  const ServerName server = matrix::server_of(request.target.user);
  api::SendInviteRequest sent;
  sent.destination = server;
  sent.room_id = request.room_id;
  sent.room_version = RoomVersionId(std::string(made.event.room_version().id));
  sent.event_id = made.event.event_id();
  sent.event.text = made.event.json();
  sent.room_state = std::move(made.room_state);
  BACKPLANE_CO_TRY(answer, co_await api::ask(others_.workers, others_.federation.send_invite, sent));
  BACKPLANE_CO_TRY(position, accept_invite(environment_, made.event, answer.event));
  co_return Response{request.room_id, made.event.event_id(), position};
}

void RemoteMemberships::create_room(const api::CreateRoomRequest& request,
                                    const api::Reply<api::CreateRoomResponse>& reply) {
  auto created = room_server::create_room(environment_, request);
  std::vector<api::MemberProfile> invited;
  for (const api::MemberProfile& profile : request.invite) {
    const bool is_known = std::ranges::find(invited, profile.user, &api::MemberProfile::user) != invited.end();
    if (!is_known && !matrix::is_on_server(profile.user.view(), environment_.server_name)) invited.push_back(profile);
  }
  const auto entry = std::make_shared<Gate::Entry>(created && !invited.empty() ? gate_.enter() : Gate::Entry());
  if (!*entry) return (void)reply(std::move(created));
  api::CreateRoomRequest rest = request;
  rest.invite = std::move(invited);
  start<api::CreateRoomResponse>(
      invite_all(std::move(rest), std::move(*created)),
      [entry, reply](Result<api::CreateRoomResponse> response) { reply(std::move(response)); });
}

Task<Result<api::CreateRoomResponse>> RemoteMemberships::invite_all(api::CreateRoomRequest request,
                                                                    api::CreateRoomResponse room) {
  for (api::MemberProfile& profile : request.invite) {
    api::ChangeMembershipRequest change;
    change.room_id = room.room_id;
    change.sender = request.creator.user;
    change.device = request.device;
    change.action = MembershipAction::invite;
    change.is_direct = request.is_direct;
    change.target = std::move(profile);
    const UserId user = change.target.user;
    const auto invited = co_await invite(std::move(change));
    if (invited) {
      room.position = invited->position;
    } else {
      environment_.logger.warning(
          "a user of a new room was not invited",
          {{"room_id", room.room_id.view()}, {"user_id", user.view()}, {"error", invited.error().text}});
    }
  }
  co_return std::move(room);
}

}  // namespace backplane::room_server
