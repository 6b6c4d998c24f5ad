// Invites of this server's users by those of another, and what becomes of them.
#include "two_servers.h"

namespace backplane::room_server {
namespace {

using api::RoomEventKind;

struct ReceiveInviteTest : TwoServers, ::testing::WithParamInterface<const char*> {
  /// Dave's invite of a user of this server, as far.example makes it.
  api::ReceiveInviteRequest make_invite(const RoomId& room, const UserId& user) {
    // What far.example makes of a request is caught where it would ask this server.
    const auto made = far.rooms->get_state_event({}, {room, dave, "m.room.create", ""});
    EXPECT_EQ(outcome(made), "ok");
    const matrix::RoomVersion& version = *matrix::find_room_version(GetParam());
    matrix::EventDraft draft;
    draft.room_id = room;
    draft.sender = dave;
    draft.type = "m.room.member";
    draft.state_key = user.str();
    draft.content = R"({"displayname":"A","membership":"invite"})";
    const auto at = far.send(room, dave, "last");
    EXPECT_EQ(outcome(at), "ok");
    draft.prev_events = {at->event_id};
    for (const auto& [type, key] : matrix::required_auth_events(matrix::AuthSubject::of(draft), version)) {
      const auto found = far.rooms->get_state_event({}, {room, dave, std::string(type), std::string(key)});
      if (found) draft.auth_events.push_back(found->event.event_id);
    }
    const auto hash_of = [&](const EventId& event_id) {
      return matrix::reference_hash(far.bodies({event_id}).front().text, version);
    };
    for (const EventId& event_id : draft.prev_events) draft.prev_event_hashes.push_back(hash_of(event_id));
    for (const EventId& event_id : draft.auth_events) draft.auth_event_hashes.push_back(hash_of(event_id));
    draft.depth = 50;
    draft.origin_server_ts = 1'000;
    draft.event_id = EventId("$invite" + std::to_string(++made_) + ":far.example");
    const auto built = matrix::build_event(draft, version, far_key_);
    EXPECT_EQ(outcome(built), "ok");
    return {room, RoomVersionId(std::string(version.id)), {std::string(built->json())}, far.shown_state(room)};
  }
  Result<api::ReceiveInviteResponse> receive(const api::ReceiveInviteRequest& request) {
    return rooms->receive_invite({}, request);
  }
  /// A private room of Dave's, which knows the invite too.
  RoomId invited(const UserId& user) {
    const RoomId room = far.make_named_room(GetParam(), "private_chat");
    const auto invite = make_invite(room, user);
    const auto received = receive(invite);
    EXPECT_EQ(outcome(received), "ok") << received.error().text;
    if (!received) return room;
    invite_id_ = received->event_id;
    const auto taken = far.rooms->receive_events({}, {room, {{received->event, api::ReceivedKind::new_event, {}}}});
    EXPECT_EQ(outcome(taken), "ok");
    EXPECT_TRUE(taken && taken->results.front().outcome == api::ReceivedOutcome::accepted);
    return room;
  }

  testing::FakeRandom chance_{7};
  const matrix::SigningKey far_key_ = std::move(*matrix::SigningKey::generate("far", chance_));
  EventId invite_id_;
  int made_ = 0;
};

TEST_P(ReceiveInviteTest, an_invite_is_signed_and_told_with_what_the_room_is) {
  const RoomId room = far.make_named_room(GetParam(), "private_chat");
  const auto request = make_invite(room, alice);
  const auto received = receive(request);
  ASSERT_EQ(outcome(received), "ok") << received.error().text;
  const matrix::RoomVersion& version = *matrix::find_room_version(GetParam());
  const auto event = matrix::Event::parse_untrusted(received->event.text, version);
  ASSERT_EQ(outcome(event), "ok");
  EXPECT_EQ(event->event_id(), received->event_id);
  const auto signatures = matrix::signatures_of(*event);
  ASSERT_EQ(signatures.size(), 2U);
  EXPECT_EQ(signatures[0].entity, "far.example");
  EXPECT_EQ(signatures[1].entity, "test.example");

  EXPECT_EQ(membership(room, alice), "invite");
  for (const auto& told : {records_of(room), snapshot_of(room)}) {
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].kind, RoomEventKind::invite);
    EXPECT_EQ(told[0].event_id, received->event_id);
    ASSERT_TRUE(told[0].membership);
    EXPECT_EQ(told[0].membership->user, alice);
    EXPECT_EQ(told[0].membership->after, "invite");
    const auto document = json::Document::parse(told[0].stripped_state.text);
    ASSERT_TRUE(document && document->root().is_array());
    const auto events = document->root().elements();
    ASSERT_EQ(events.size(), 4U);  // create, join_rules, name, and the invite
    EXPECT_EQ(events.back().find_string("type"), "m.room.member");
    EXPECT_EQ(events.back().find_string("state_key"), alice.view());
    EXPECT_EQ(events.back().find_string("sender"), dave.view());
    for (const auto& stripped : events) EXPECT_EQ(stripped.members().size(), 4U);
  }
}

TEST_P(ReceiveInviteTest, who_accepts_it_is_in_the_room) {
  const RoomId room = invited(alice);
  const auto joined = join_by(room, alice, {});  // the server that the invite came from is asked
  ASSERT_EQ(outcome(joined), "ok") << joined.error().text;
  EXPECT_EQ(membership(room, alice), "join");
  EXPECT_EQ(state_ids(*rooms, room, alice), state_ids(*far.rooms, room, dave));
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM remote_memberships"), 0);
  for (const auto& record : snapshot_of(room)) EXPECT_NE(record.kind, RoomEventKind::invite);
}

TEST_P(ReceiveInviteTest, who_refuses_it_can_forget_it) {
  const RoomId room = invited(alice);
  EXPECT_EQ(outcome(rooms->forget_room({}, {room, alice})), "invalid/not_left");
  const auto left = leave(room, alice);
  ASSERT_EQ(outcome(left), "ok") << left.error().text;
  EXPECT_EQ(far.membership(room, alice), "leave");
  EXPECT_EQ(membership(room, alice), "leave");
  const auto told = records_of(room).back();
  EXPECT_EQ(told.kind, RoomEventKind::retired);
  EXPECT_EQ(told.membership->before, "invite");
  EXPECT_EQ(told.membership->after, "leave");
  EXPECT_EQ(outcome(rooms->forget_room({}, {room, alice})), "ok");
  EXPECT_EQ(records_of(room).back().kind, RoomEventKind::forgotten);
  EXPECT_EQ(membership(room, alice), "not_found/unknown_room");
}

TEST_P(ReceiveInviteTest, it_can_be_refused_while_the_other_server_is_down) {
  const RoomId room = invited(alice);
  far.down.insert(far_server);
  ASSERT_EQ(outcome(leave(room, alice)), "ok");
  EXPECT_EQ(membership(room, alice), "leave");
  EXPECT_EQ(records_of(room).back().kind, RoomEventKind::retired);
  EXPECT_EQ(outcome(rooms->forget_room({}, {room, alice})), "ok");
}

TEST_P(ReceiveInviteTest, what_is_no_such_invite_is_refused) {
  const RoomId room = far.make_named_room(GetParam(), "private_chat");
  const auto good = make_invite(room, alice);
  auto bad = good;
  bad.room_version = RoomVersionId("org.example.unknown");
  EXPECT_EQ(outcome(receive(bad)), "invalid/unsupported_room_version");
  bad = good;
  bad.room_id = RoomId("!another:far.example");
  EXPECT_EQ(outcome(receive(bad)), "invalid/invalid_param");
  EXPECT_EQ(outcome(receive(make_invite(room, erin))), "invalid/invalid_param") << "she is a user of far.example";
  bad = good;
  bad.event.text.replace(bad.event.text.find("\"displayname\":\"A\""), 17, "\"displayname\":\"B\"");
  EXPECT_EQ(outcome(receive(bad)), "invalid/invalid_param") << "its hash does not cover that";
  bad = good;
  bad.event.text = "{}";
  EXPECT_EQ(outcome(receive(bad)), "invalid/bad_json");
  bad = good;
  bad.room_state.push_back({"\"" + std::string(std::size_t{1} << 20, 'x') + "\""});
  EXPECT_EQ(outcome(receive(bad)), "invalid/too_large");
  bad = good;
  bad.room_state.clear();
  EXPECT_EQ(outcome(receive(bad)), std::string(GetParam()) == "12" ? "invalid/invalid_param" : "ok");
}

TEST_P(ReceiveInviteTest, this_servers_own_users_invite_nobody_that_way) {
  const RoomId room = enter(GetParam());
  const auto invited_here = invite(room, alice, bob);
  ASSERT_EQ(outcome(invited_here), "ok");
  const api::ReceiveInviteRequest request{room,
                                          RoomVersionId(GetParam()),
                                          {matrix::server_event(body(invited_here->event_id).event.text)},
                                          far.shown_state(room)};
  EXPECT_EQ(outcome(receive(request)), "invalid/invalid_param");
}

TEST_P(ReceiveInviteTest, in_a_room_that_this_server_is_in_it_is_an_event_as_any) {
  const RoomId room = enter(GetParam());
  const auto request = make_invite(room, bob);
  // The message that it follows is not here yet.
  const auto received = receive(request);
  ASSERT_EQ(outcome(received), "ok") << received.error().text;
  EXPECT_EQ(membership(room, bob), "invite");
  EXPECT_EQ(records_of(room).back().kind, RoomEventKind::new_event);
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM remote_memberships"), 0);
  EXPECT_EQ(matrix::signatures_of(matrix::Event::from_stored(body(received->event_id).event.text, received->event_id,
                                                             *matrix::find_room_version(GetParam())))
                .size(),
            2U);
  EXPECT_EQ(outcome(join(room, bob)), "ok");
  EXPECT_EQ(far.times("send_join far.example"), 1U) << "Alice's";

  auto bad = make_invite(room, carol);
  bad.room_version = RoomVersionId(std::string(GetParam()) == "6" ? "7" : "6");
  EXPECT_NE(outcome(receive(bad)), "ok");
  EXPECT_EQ(membership(room, carol), "");
}

INSTANTIATE_TEST_SUITE_P(RoomVersions, ReceiveInviteTest, ::testing::Values("1", "6", "10", "12"),
                         [](const auto& instance) { return std::string("version_") + instance.param; });

}  // namespace
}  // namespace backplane::room_server
