// A room_server in a FakeHost, and short words for what tests ask of it.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/testing/fake_host.h"

namespace backplane::room_server {

inline const ServerName own_server("test.example");
inline const ServerName far_server("far.example");
inline const UserId alice("@alice:test.example");
inline const UserId bob("@bob:test.example");
inline const UserId carol("@carol:test.example");
inline const UserId dave("@dave:far.example");
inline const UserId erin("@erin:far.example");
inline const UserId frank("@frank:farther.example");

/// An error as `denied/forbidden`, or `ok`.
template <class T>
std::string outcome(const Result<T>& result) {
  if (result) return "ok";
  return std::string(to_string(result.error().code)) + "/" + result.error().reason;
}

struct RoomHost {
  explicit RoomHost(testing::FakeHostOptions options = {}, UserId creator = alice)
      : owner(std::move(creator)), host(std::move(options)) {
    start();
  }

  void start(testing::FakeHost::OptionOverrides options = {}) {
    host.load("room_server", std::move(options));
    host.start();
    rooms = &host.connect<api::RoomServer>();
  }
  void restart() {
    host.stop();
    start();
  }

  static api::MemberProfile profile(const UserId& user) { return {user, {}, {}}; }

  Result<api::CreateRoomResponse> create(api::CreateRoomRequest request) {
    if (request.creator.user.empty()) request.creator = profile(owner);
    std::optional<Result<api::CreateRoomResponse>> answer;
    rooms->create_room({}, request, [&](auto result) { answer.emplace(std::move(result)); });
    EXPECT_TRUE(answer.has_value());
    return std::move(*answer);
  }
  /// A room of the owner's.
  RoomId make_room(std::string preset = "public_chat", std::string version = "12") {
    api::CreateRoomRequest request;
    request.preset = std::move(preset);
    request.room_version = std::move(version);
    auto created = create(std::move(request));
    EXPECT_EQ(outcome(created), "ok") << created.error().text;
    return created ? created->room_id : RoomId();
  }

  api::SubmitDraftRequest draft(const RoomId& room, const UserId& sender, std::string type, std::string content,
                                std::string transaction = "") {
    api::SubmitDraftRequest request;
    request.draft.room_id = room;
    request.draft.sender = sender;
    request.draft.type = std::move(type);
    request.draft.content.text = std::move(content);
    request.key = {sender, DeviceId("DEVICE"), "/send/" + room.str(), TransactionId(std::move(transaction))};
    return request;
  }
  Result<api::SubmitDraftResponse> send(const RoomId& room, const UserId& sender, std::string body,
                                        std::string transaction = "") {
    return rooms->submit_draft(
        {}, draft(room, sender, "m.room.message", "{\"body\":" + json::quoted(body) + "}", std::move(transaction)));
  }
  Result<api::SubmitDraftResponse> put_state(const RoomId& room, const UserId& sender, std::string type,
                                             std::string content, std::string state_key = "") {
    auto request = draft(room, sender, std::move(type), std::move(content));
    request.draft.state_key = std::move(state_key);
    return rooms->submit_draft({}, request);
  }
  Result<api::SubmitDraftResponse> redact(const RoomId& room, const UserId& sender, const EventId& target,
                                          std::string transaction = "") {
    auto request = draft(room, sender, "m.room.redaction", "{\"reason\":\"because\"}", std::move(transaction));
    request.draft.redacts = target;
    return rooms->submit_draft({}, request);
  }

  Result<api::ChangeMembershipResponse> change(api::ChangeMembershipRequest request) {
    std::optional<Result<api::ChangeMembershipResponse>> answer;
    rooms->change_membership({}, request, [&](auto result) { answer.emplace(std::move(result)); });
    EXPECT_TRUE(answer.has_value());
    return std::move(*answer);
  }
  Result<api::ChangeMembershipResponse> change(const RoomId& room, const UserId& sender, api::MembershipAction action,
                                               const UserId& target) {
    api::ChangeMembershipRequest request;
    request.room_id = room;
    request.sender = sender;
    request.action = action;
    request.target = profile(target);
    return change(std::move(request));
  }
  auto join(const RoomId& room, const UserId& user) { return change(room, user, api::MembershipAction::join, user); }
  auto leave(const RoomId& room, const UserId& user) { return change(room, user, api::MembershipAction::leave, user); }
  auto knock(const RoomId& room, const UserId& user) { return change(room, user, api::MembershipAction::knock, user); }
  auto invite(const RoomId& room, const UserId& by, const UserId& user) {
    return change(room, by, api::MembershipAction::invite, user);
  }
  auto kick(const RoomId& room, const UserId& by, const UserId& user) {
    return change(room, by, api::MembershipAction::kick, user);
  }
  auto ban(const RoomId& room, const UserId& by, const UserId& user) {
    return change(room, by, api::MembershipAction::ban, user);
  }
  auto unban(const RoomId& room, const UserId& by, const UserId& user) {
    return change(room, by, api::MembershipAction::unban, user);
  }

  std::string membership(const RoomId& room, const UserId& user) {
    auto found = rooms->find_membership({}, {room, user});
    return found ? found->membership : outcome(found);
  }
  /// The content of a state event as a user sees it, or the error.
  std::string state(const RoomId& room, const UserId& user, std::string type, std::string state_key = "") {
    auto found = rooms->get_state_event({}, {room, user, std::move(type), std::move(state_key)});
    if (!found) return outcome(found);
    return std::string(json::find_raw(found->event.event.text, "content").value_or(""));
  }
  api::EventBody body(const EventId& event_id) {
    auto found = rooms->get_events({}, {{event_id}});
    EXPECT_EQ(outcome(found), "ok");
    if (!found || found->events.size() != 1) return {};
    return found->events.front();
  }
  /// Every record that was published, decoded.
  std::vector<api::RoomEventRecord> records() {
    std::vector<api::RoomEventRecord> out;
    for (const auto& record : host.records("room_events")) {
      out.push_back(*from_json<api::RoomEventRecord>(record->payload));
    }
    return out;
  }
  std::uint64_t commits() { return host.commits("room_server"); }

  const UserId owner;  ///< of the rooms: Alice, where nothing else is said
  testing::FakeHost host;
  api::RoomServer* rooms = nullptr;
};

struct RoomFixture : ::testing::Test, RoomHost {
  void TearDown() override { EXPECT_THAT(host.findings("room_server"), ::testing::IsEmpty()); }
};

}  // namespace backplane::room_server
