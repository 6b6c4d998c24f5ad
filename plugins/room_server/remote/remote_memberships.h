// Memberships that this server cannot change alone (Server-Server API, "Joining Rooms", "Leaving Rooms", "Knocking upon
// a room", "Inviting to a room"): its users' of rooms that nobody of it is in, by way of a server that is; and invites
// of other servers' users, which their servers sign. All else is change_membership's (input/input.h).
//
// Any thread. What is under way goes on on the host's workers; stop() waits for it. Of a room one join, leave or knock
// at a time: who comes second mostly finds the room here.
#pragma once

#include <deque>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "backplane/base/gate.h"
#include "backplane/base/task.h"
#include "backplane/matrix/event.h"
#include "environment.h"
#include "other_servers.h"

namespace backplane::room_server {

class RemoteMemberships {
 public:
  RemoteMemberships(Environment& environment, OtherServers others) : environment_(environment), others_(others) {}

  /// Whether other servers can be told.
  bool can_ask() const { return others_.can_ask(); }
  void change(const api::ChangeMembershipRequest& request, const api::Reply<api::ChangeMembershipResponse>& reply);
  /// Makes a room, and then invites those of other servers; who cannot be invited is not, and the room is there.
  void create_room(const api::CreateRoomRequest& request, const api::Reply<api::CreateRoomResponse>& reply);
  void close() { gate_.close(); }
  void stop();

 private:
  using Response = api::ChangeMembershipResponse;
  /// How a membership is to be changed.
  struct Way {
    std::vector<ServerName> servers;  ///< to ask, one after the other; none: this server does it alone
    std::optional<RemoteMembershipRow> held;
  };
  Result<Way> find_way(const api::ChangeMembershipRequest& request) const;
  bool is_invite_elsewhere(const api::ChangeMembershipRequest& request) const;

  void in_turn(const RoomId& room_id, std::function<void()> work);
  void end_turn(const RoomId& room_id);

  Task<Result<Response>> conduct(api::ChangeMembershipRequest request);
  /// The answer of the first server that has one.
  Task<Result<Response>> ask_in_turn(api::ChangeMembershipRequest request, std::vector<ServerName> servers);
  Task<Result<Response>> join(api::ChangeMembershipRequest request, ServerName server);
  Task<Result<Response>> knock(api::ChangeMembershipRequest request, ServerName server);
  Task<Result<Response>> leave(api::ChangeMembershipRequest request, Way way);
  Task<Result<Response>> invite(api::ChangeMembershipRequest request);
  Task<Result<api::CreateRoomResponse>> invite_all(api::CreateRoomRequest request, api::CreateRoomResponse room);

  /// An event of the user that another server gave the form of, and that server.
  struct Made {
    matrix::Event event;
    const matrix::RoomVersion* version = nullptr;
    ServerName server;
  };
  Task<Result<Made>> make(api::ChangeMembershipRequest request, ServerName server);
  Task<Result<Response>> enter_room(Made made, api::SendRemoteJoinResponse sent);

  Environment& environment_;
  const OtherServers others_;
  Gate gate_;
  std::mutex mutex_;
  std::unordered_map<RoomId, std::deque<std::function<void()>>> turns_;  ///< rooms with one under way, and who waits
};

}  // namespace backplane::room_server
