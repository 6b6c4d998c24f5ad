// A client_api in a FakeHost, with a real user_api and a room_server that the test makes up.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/api/session.h"
#include "backplane/http/errors.h"
#include "backplane/testing/fake_host.h"

namespace backplane::client_api {

inline const UserId alice("@alice:test.example");

/// Rooms of which only the memberships matter. Publishes room_events.
class FakeRooms final : public plugin::Plugin {
 public:
  struct Shared {
    std::mutex mutex;
    std::map<RoomId, std::string> members;  ///< Alice's membership
    std::vector<std::string> told;          ///< `!room displayname avatar`, in order
    std::map<RoomId, Error> refusals;       ///< what a room answers instead
    std::map<std::string, int> asked;       ///< calls of change_membership by room
  };

  explicit FakeRooms(Shared& shared) : shared_(shared) {}

  Result<void> wire(plugin::Wiring& wiring) override {
    store_ = &wiring.store({});
    events_ = &wiring.log().publish(api::room_events_topic, log::Durability::durable, store_);
    rooms_.find_membership.bind(
        [this](const api::CallContext&, const api::RoomUserRequest& r) -> Result<api::FindMembershipResponse> {
          const std::lock_guard lock(shared_.mutex);
          return api::FindMembershipResponse{shared_.members[r.room_id], {}};
        });
    rooms_.change_membership.bind([this](const api::CallContext&, const api::ChangeMembershipRequest& r,
                                         const api::Reply<api::ChangeMembershipResponse>& reply) {
      const std::lock_guard lock(shared_.mutex);
      ++shared_.asked[r.room_id.str()];
      if (const auto it = shared_.refusals.find(r.room_id); it != shared_.refusals.end())
        return (void)reply(it->second);
      shared_.told.push_back(r.room_id.str() + " " + r.target.displayname.value_or("-") + " " +
                             r.target.avatar_url.value_or("-"));
      reply(api::ChangeMembershipResponse{r.room_id, EventId("$m"), {}});
    });
    rooms_.list_room_events.bind(
        [](const api::CallContext&, const api::ListRecordsRequest&) -> Result<api::ListRecordsResponse> {
          return api::ListRecordsResponse{{}, true, "0"};
        });
    wiring.provide(rooms_);
    return {};
  }

  log::Position membership(const RoomId& room, std::string before, std::string after,
                           api::RoomEventKind kind = api::RoomEventKind::new_event) {
    api::RoomEventRecord record;
    record.kind = kind;
    record.room_id = room;
    record.type = "m.room.member";
    record.membership = api::MembershipChange{alice, std::move(before), std::move(after)};
    auto written =
        store_->write([&](storage::Write& write) { return events_->publish(write, room.view(), to_json(record)); });
    EXPECT_TRUE(written);
    return *written;
  }

 private:
  Shared& shared_;
  api::RoomServer rooms_;
  storage::Store* store_ = nullptr;
  log::Publisher* events_ = nullptr;
};

struct ClientFixture : ::testing::Test {
  ClientFixture() { start(); }

  void start(testing::FakeHost::OptionOverrides options = {}) {
    options.try_emplace("registration", std::string("open"));
    options.try_emplace("password_hash_memory", std::int64_t{8192});
    options.try_emplace("password_hash_passes", std::int64_t{1});
    options.try_emplace("failed_logins", std::int64_t{3});
    host.add("rooms", [this](plugin::Host&) {
      auto made = std::make_unique<FakeRooms>(shared);
      rooms = made.get();
      return made;
    });
    host.load("user_api", std::move(options));
    host.load("client_api");
    host.start();
    users = &host.connect<api::UserApi>();
  }
  void restart(testing::FakeHost::OptionOverrides options = {}) {
    host.stop();
    start(std::move(options));
  }

  struct Call {
    http::Method method;
    std::string pattern;  ///< of the route, without `/_matrix/client/`
    std::string body{};
    std::string token{};
    std::vector<http::NameValue> parameters{};
    std::string query{};
  };
  /// What the listener would do: authenticate, run the handler, make a response of an error.
  http::Response ask(Call call) {
    for (const testing::FakeRoute& route : host.routes()) {
      if (route.method != call.method || route.pattern != "/_matrix/client/" + call.pattern) continue;
      http::Request request;
      request.method = call.method;
      request.body = std::move(call.body);
      request.parameters = std::move(call.parameters);
      request.raw_query = std::move(call.query);
      request.remote_address = "10.0.0.1";
      if (!call.token.empty()) request.headers.push_back({"authorization", "Bearer " + call.token});
      auto identity = route.authenticator->authenticate(request, route.options.authentication);
      if (!identity) return http::Response::error(identity.error());
      request.identity = std::move(*identity);
      auto answered = route.handler(request);
      return answered ? std::move(*answered) : http::Response::error(answered.error());
    }
    ADD_FAILURE() << "no route " << call.pattern;
    return {};
  }
  /// `200`, or `403 M_FORBIDDEN`.
  static std::string outcome(const http::Response& response) {
    const auto errcode = member(response, "errcode");
    return std::to_string(response.status) + (errcode == "absent" ? "" : " " + errcode);
  }
  static std::string member(const http::Response& response, std::string_view name) {
    const auto document = json::Document::parse(response.body);
    EXPECT_TRUE(document) << response.body;
    if (!document) return "no JSON";
    const auto value = document->root().find(name);
    return !value ? "absent" : value->is_string() ? std::string(*value->as_string()) : value->canonical();
  }
  http::Response register_with(std::string body, std::string query = "") {
    return ask({http::Method::post, "v3|r0/register", std::move(body), "", {}, std::move(query)});
  }
  /// Alice's access token, of a new account.
  std::string sign_up(std::string name = "alice") {
    const auto made =
        register_with(R"({"username":")" + name + R"(","password":"correct horse","auth":{"type":"m.login.dummy"}})");
    EXPECT_EQ(outcome(made), "200");
    return member(made, "access_token");
  }

  FakeRooms::Shared shared;  // outlives the host
  testing::FakeHost host;
  FakeRooms* rooms = nullptr;
  api::UserApi* users = nullptr;
};

}  // namespace backplane::client_api
