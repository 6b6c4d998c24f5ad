// Two servers with a room_server each, and the interfaces that one of them asks the other by, as a federation_sender of
// the one and a federation_api of the other would carry that.
#pragma once

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backplane/api/federation_sender.h"
#include "backplane/api/server_key_api.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/server_event.h"
#include "input/restricted_join.h"
#include "room_fixture.h"

namespace backplane::room_server {

/// far.example, whose rooms are Dave's.
struct FarHost : RoomHost {
  FarHost() : RoomHost(options(), dave) {
    answer(federation.make_membership, [this](const api::MakeRemoteMembershipRequest& request) {
      auto made =
          rooms->make_membership_event({}, {request.room_id, request.user, request.membership, request.room_versions});
      if (!made) return Result<api::MakeRemoteMembershipResponse>(std::move(made).error());
      api::MakeRemoteMembershipResponse response{made->room_version, made->event};
      change_template(response);
      return Result(std::move(response));
    });
    answer(federation.send_join,
           [this](const api::SendRemoteMembershipRequest& request) { return take_join(request); });
    answer(federation.send_leave, [this](const api::SendRemoteMembershipRequest& request) {
      const auto taken = take(request.room_id, request.event);
      return taken ? Result<api::Nothing>(api::Nothing()) : Result<api::Nothing>(taken.error());
    });
    answer(federation.send_knock, [this](const api::SendRemoteMembershipRequest& request) {
      const auto taken = take(request.room_id, request.event);
      if (!taken) return Result<api::SendRemoteKnockResponse>(taken.error());
      return Result(api::SendRemoteKnockResponse{shown_state(request.room_id)});
    });
    answer(federation.send_invite, [this](const api::SendInviteRequest& request) {
      auto received =
          rooms->receive_invite({}, {request.room_id, request.room_version, request.event, request.room_state});
      if (!received) return Result<api::SendInviteResponse>(std::move(received).error());
      return Result(api::SendInviteResponse{std::move(received->event)});
    });
    bind_history();
    keys.verify_events.bind([](const api::CallContext&, const api::VerifyEventsRequest& request,
                               const api::Reply<api::VerifyEventsResponse>& reply) {
      reply(api::VerifyEventsResponse{std::vector<api::VerifiedEvent>(request.events.size(), {true, ""})});
    });
  }

  static testing::FakeHostOptions options() {
    testing::FakeHostOptions options;
    options.server_name = far_server.str();
    options.seed = 2;
    return options;
  }
  void bind_history() {
    answer(federation.get_missing_events, [this](const api::GetMissingEventsRequest& request) {
      return earlier({request.room_id, request.latest_events, false, request.earliest_events, request.min_depth,
                      request.limit, own_server});
    });
    answer(federation.get_backfill, [this](const api::GetBackfillRequest& request) {
      return earlier({request.room_id, request.from, true, {}, 0, request.limit, own_server});
    });
    answer(federation.get_event, [this](const api::GetRemoteEventRequest& request) {
      auto found = bodies({request.event_id});
      if (found.empty()) return Result<api::GetRemoteEventResponse>(not_found("", "no such event"));
      return Result(api::GetRemoteEventResponse{std::move(found.front())});
    });
    answer(federation.get_event_auth, [this](const api::GetRemoteStateRequest& request) {
      auto found = rooms->get_auth_chain({}, {request.room_id, {request.event_id}});
      if (!found) return Result<api::RemoteEventsResponse>(std::move(found).error());
      return Result(api::RemoteEventsResponse{pdus(found->events)});
    });
    answer(federation.get_state_ids, [this](const api::GetRemoteStateRequest& request) {
      auto found = rooms->get_state_at_event({}, {request.room_id, request.event_id, true});
      if (!found) return Result<api::GetRemoteStateIdsResponse>(std::move(found).error());
      return Result(api::GetRemoteStateIdsResponse{found->state, found->auth_chain});
    });
  }

  template <class Request, class Response>
  void answer(api::DeferredMethod<Request, Response>& method,
              std::type_identity_t<std::function<Result<Response>(const Request&)>> make) {
    method.bind([this, name = std::string(method.name()), make](const api::CallContext&, const Request& request,
                                                                const api::Reply<Response>& reply) {
      asked.push_back(name + " " + request.destination.str());
      if (down.contains(request.destination)) reply(unavailable("unreachable", "the server does not answer"));
      else if (holds) held.push_back([=] { reply(make(request)); });
      else reply(make(request));
    });
  }

  static std::vector<json::Raw> pdus(const std::vector<api::EventBody>& events) {
    std::vector<json::Raw> out;
    for (const api::EventBody& event : events) out.push_back({matrix::server_event(event.event.text)});
    return out;
  }
  std::vector<json::Raw> bodies(const std::vector<EventId>& event_ids) {
    const auto found = rooms->get_events({}, {event_ids});
    EXPECT_EQ(outcome(found), "ok");
    return found ? pdus(found->events) : std::vector<json::Raw>();
  }
  Result<api::RemoteEventsResponse> earlier(const api::ListEarlierEventsRequest& request) {
    auto found = rooms->list_earlier_events({}, request);
    if (!found) return std::move(found).error();
    return api::RemoteEventsResponse{pdus(found->events)};
  }
  /// An event of the other server: answers its id.
  Result<EventId> take(const RoomId& room, const json::Raw& event) {
    const auto received = rooms->receive_events({}, {room, {{event, api::ReceivedKind::new_event, {}}}, own_server});
    if (!received) return received.error();
    const api::ReceivedResult& result = received->results.front();
    if (result.outcome != api::ReceivedOutcome::accepted)
      return denied("forbidden", std::string(enum_name(result.outcome)) + ": " + result.reason);
    return result.event_id;
  }
  Result<api::SendRemoteJoinResponse> take_join(const api::SendRemoteMembershipRequest& request) {
    api::SendRemoteJoinResponse response;
    response.event = request.event;
    const auto content = json::find_raw(request.event.text, "content").value_or("{}");
    if (json::find_raw_string(content, authoriser_key)) {
      auto signed_join = rooms->sign_restricted_join({}, {request.room_id, request.event});
      if (!signed_join) return std::move(signed_join).error();
      response.event = std::move(signed_join->event);
    }
    const auto taken = take(request.room_id, response.event);
    if (!taken) return taken.error();
    const auto state = rooms->get_state_at_event({}, {request.room_id, *taken, true});
    if (!state) return state.error();
    response.state = bodies(state->state);
    response.auth_chain = bodies(state->auth_chain);
    change_answer(response);
    return response;
  }
  std::vector<json::Raw> shown_state(const RoomId& room) {
    std::vector<json::Raw> out;
    for (const char* type : {"m.room.create", "m.room.join_rules", "m.room.name"}) {
      const auto found = rooms->get_state_event({}, {room, owner, type, ""});
      if (found) out.push_back({matrix::server_event(found->event.event.text)});
    }
    return out;
  }
  /// A room of Dave's.
  RoomId make_named_room(const std::string& version, std::string preset = "public_chat",
                         std::vector<UserId> invited = {}) {
    api::CreateRoomRequest request;
    request.preset = std::move(preset);
    request.room_version = version;
    request.name = "far away";
    for (const UserId& user : invited) request.invite.push_back(profile(user));
    const auto created = create(std::move(request));
    EXPECT_EQ(outcome(created), "ok") << created.error().text;
    return created ? created->room_id : RoomId();
  }
  /// Drops what it holds, and answers no more, as a federation_sender does that stops.
  void close() {
    down.insert(far_server);
    holds = false;
    std::exchange(held, {});
  }
  void release() {
    holds = false;
    for (const auto& reply : std::exchange(held, {})) reply();
  }
  std::size_t times(const std::string& call) const { return static_cast<std::size_t>(std::ranges::count(asked, call)); }

  api::FederationSender federation;
  api::ServerKeyApi keys;
  std::vector<std::string> asked;  ///< the methods, and whom
  std::set<ServerName> down;
  std::function<void(api::MakeRemoteMembershipResponse&)> change_template = [](auto&) {};
  std::function<void(api::SendRemoteJoinResponse&)> change_answer = [](auto&) {};
  bool holds = false;
  std::vector<std::function<void()>> held;
};

struct TwoServers : RoomFixture {
  TwoServers() { restart_with_far(); }
  void TearDown() override {
    RoomFixture::TearDown();
    EXPECT_THAT(far.host.findings("room_server"), ::testing::IsEmpty());
    far.close();
    host.stop();  // before those whom it asks
  }
  void restart_with_far() {
    host.stop();
    host.provide(far.federation);
    host.provide(far.keys);
    start();
  }

  Result<api::ChangeMembershipResponse> join_by(const RoomId& room, const UserId& user,
                                                std::vector<ServerName> via = {far_server}) {
    return change(join_request(room, user, std::move(via)));
  }
  api::ChangeMembershipRequest join_request(const RoomId& room, const UserId& user,
                                            std::vector<ServerName> via = {far_server}) const {
    api::ChangeMembershipRequest request;
    request.room_id = room;
    request.sender = user;
    request.target = profile(user);
    request.via = std::move(via);
    return request;
  }
  Result<api::ChangeMembershipResponse> knock_by(const RoomId& room, const UserId& user) {
    api::ChangeMembershipRequest request = join_request(room, user);
    request.action = api::MembershipAction::knock;
    return change(std::move(request));
  }
  /// A room of Dave's that Alice has joined.
  RoomId enter(const std::string& version) {
    const RoomId room = far.make_named_room(version);
    const auto joined = join_by(room, alice);
    EXPECT_EQ(outcome(joined), "ok") << joined.error().text;
    return room;
  }
  /// The current state, by type and state key, as an event of each server says that came before.
  static std::set<EventId> state_ids(api::RoomServer& server, const RoomId& room, const UserId& user) {
    std::set<EventId> ids;
    const auto state = server.get_state({}, {room, user});
    EXPECT_EQ(outcome(state), "ok");
    if (!state) return ids;
    for (const api::EventBody& event : state->events) ids.insert(event.event_id);
    return ids;
  }
  /// Brings far.example's event here.
  api::ReceivedOutcome bring(const RoomId& room, const EventId& event_id) {
    const auto response = rooms->receive_events(
        {}, {room, {{far.bodies({event_id}).front(), api::ReceivedKind::new_event, {}}}, far_server});
    EXPECT_EQ(outcome(response), "ok") << response.error().text;
    return response ? response->results.front().outcome : api::ReceivedOutcome::invalid;
  }
  /// Brings an event that was made here to far.example.
  Result<EventId> carry(const RoomId& room, const EventId& event_id) {
    return far.take(room, {matrix::server_event(body(event_id).event.text)});
  }
  std::vector<api::RoomEventRecord> records_of(const RoomId& room) {
    auto all = records();
    std::erase_if(all, [&](const auto& record) { return record.room_id != room; });
    return all;
  }
  /// The records that a consumer begins with.
  std::vector<api::RoomEventRecord> snapshot_of(const RoomId& room) {
    std::vector<api::RoomEventRecord> out;
    const auto listed = rooms->list_room_events({}, {"", 1000});
    EXPECT_EQ(outcome(listed), "ok");
    if (!listed) return out;
    for (const auto& record : listed->records) {
      auto decoded = from_json<api::RoomEventRecord>(record.payload.text);
      if (decoded && decoded->room_id == room) out.push_back(std::move(*decoded));
    }
    return out;
  }

  FarHost far;
};

}  // namespace backplane::room_server
