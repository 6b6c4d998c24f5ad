// An edu_server in a FakeHost, beside rooms and users that the test makes up.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backplane/api/edu_server.h"
#include "backplane/api/room_server.h"
#include "backplane/testing/fake_host.h"

namespace backplane::edu_server {

inline const UserId alice("@alice:test.example");
inline const UserId bob("@bob:test.example");
inline const UserId carol("@carol:test.example");
inline const RoomId room("!r:test.example");

/// An error as `denied/not_in_room`, or `ok`.
template <class T>
std::string outcome(const Result<T>& result) {
  if (result) return "ok";
  return std::string(to_string(result.error().code)) + "/" + result.error().reason;
}

struct EduFixture : ::testing::Test {
  EduFixture() {
    rooms.find_membership.bind(
        [this](const api::CallContext&, const api::RoomUserRequest& request) -> Result<api::FindMembershipResponse> {
          return api::FindMembershipResponse{joined.contains({request.room_id, request.user}) ? "join" : "leave", {}};
        });
    users.list_devices.bind(
        [this](const api::CallContext&, const api::ListDevicesRequest& request) -> Result<api::ListDevicesResponse> {
          api::ListDevicesResponse response;
          for (const char* id : devices[request.user]) response.devices.push_back({DeviceId(id), {}, "", 0});
          return response;
        });
    for (const UserId& user : {alice, bob}) joined.emplace(room, user);
    devices = {{alice, {"A1", "A2"}}, {bob, {"B"}}};
    start();
  }
  void start() {
    host.provide(rooms);
    host.provide(users);
    host.load("edu_server");
    host.start();
    edus = &host.connect<api::EduServer>();
  }
  void restart() {
    host.stop();
    start();
  }
  std::uint64_t commits() { return host.commits("edu_server"); }

  api::RoomServer rooms;  // outlive the host
  api::UserApi users;
  std::set<std::pair<RoomId, UserId>> joined;
  std::map<UserId, std::vector<const char*>> devices;
  testing::FakeHost host;
  api::EduServer* edus = nullptr;
};

}  // namespace backplane::edu_server
