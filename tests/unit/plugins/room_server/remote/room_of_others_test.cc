// What another server answers to a join: what is wrong with it, and what is left when the process ends meanwhile.
#include "two_servers.h"

namespace backplane::room_server {
namespace {

using ::testing::IsEmpty;

void replace(std::string& text, std::string_view from, std::string_view to) {
  const auto at = text.find(from);
  ASSERT_NE(at, std::string::npos) << from << " is not in " << text;
  text.replace(at, from.size(), to);
}

bool is_of(const json::Raw& event, std::string_view type) { return json::find_raw_string(event.text, "type") == type; }

struct RoomOfOthersTest : TwoServers, ::testing::WithParamInterface<const char*> {
  /// No user sees anything of the room, and a join that goes well does so all the same.
  void expect_nothing_of(const RoomId& room) {
    EXPECT_NE(membership(room, alice), "join");
    EXPECT_NE(outcome(rooms->get_state({}, {room, alice})), "ok");
    for (const auto& record : records_of(room)) EXPECT_FALSE(record.membership) << to_json(record);
    far.change_template = [](auto&) {};
    far.change_answer = [](auto&) {};
    const auto joined = join_by(room, alice);
    EXPECT_EQ(outcome(joined), "ok") << joined.error().text;
    EXPECT_EQ(state_ids(*rooms, room, alice), state_ids(*far.rooms, room, dave));
  }
  void refuse_answer(std::function<void(api::SendRemoteJoinResponse&)> change) {
    const RoomId room = far.make_named_room(GetParam());
    far.change_answer = std::move(change);
    EXPECT_EQ(outcome(join_by(room, alice)), "incomplete/bad_answer");
    expect_nothing_of(room);
  }
};

TEST_P(RoomOfOthersTest, a_template_of_another_event_is_refused) {
  const RoomId room = far.make_named_room(GetParam());
  const std::vector<std::pair<std::string, std::string>> changes{
      {room.str(), "!another:far.example"},
      {"\"sender\":\"@alice:", "\"sender\":\"@bob:"},
      {"\"state_key\":\"@alice:", "\"state_key\":\"@bob:"},
      {"\"membership\":\"join\"", "\"membership\":\"leave\""},
      {"\"m.room.member\"", "\"m.room.topic\""},
      {"\"prev_events\":[", "\"prev_events\":[5,"},
      {"\"auth_events\":[", "\"auth_events\":[[\"$x\",{}],"},
      {"\"prev_events\":", "\"other\":"},
  };
  for (const auto& [from, to] : changes) {
    far.change_template = [&](api::MakeRemoteMembershipResponse& made) { replace(made.event.text, from, to); };
    EXPECT_EQ(outcome(join_by(room, alice)), "incomplete/bad_answer") << to;
    far.change_template = [&](api::MakeRemoteMembershipResponse& made) { made.event.text = "nonsense"; };
    EXPECT_EQ(outcome(join_by(room, alice)), "incomplete/bad_answer");
  }
  far.change_template = [&](api::MakeRemoteMembershipResponse& made) { made.room_version = RoomVersionId("77"); };
  EXPECT_EQ(outcome(join_by(room, alice)), "invalid/incompatible_room_version");
  EXPECT_EQ(far.times("send_join far.example"), 0U);
  EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM rooms"), 0);
  expect_nothing_of(room);
}

TEST_P(RoomOfOthersTest, what_the_template_says_of_the_user_is_not_taken_over) {
  const RoomId room = far.make_named_room(GetParam());
  far.change_template = [&](api::MakeRemoteMembershipResponse& made) {
    replace(made.event.text, "\"membership\":\"join\"", "\"displayname\":\"a fool\",\"membership\":\"join\"");
  };
  ASSERT_EQ(outcome(join_by(room, alice)), "ok");
  EXPECT_EQ(state(room, alice, "m.room.member", alice.str()), R"({"membership":"join"})");
}

TEST_P(RoomOfOthersTest, a_state_without_its_create_event_is_refused) {
  refuse_answer([](api::SendRemoteJoinResponse& answer) {
    std::erase_if(answer.state, [](const json::Raw& event) { return is_of(event, "m.room.create"); });
  });
}

TEST_P(RoomOfOthersTest, a_state_of_another_room_is_refused) {
  const RoomId other = far.make_named_room(GetParam());
  const auto its_state = far.rooms->get_state({}, {other, dave});
  ASSERT_EQ(outcome(its_state), "ok");
  refuse_answer([&](api::SendRemoteJoinResponse& answer) { answer.state = FarHost::pdus(its_state->events); });
}

TEST_P(RoomOfOthersTest, a_state_of_another_version_or_maker_is_refused) {
  const std::string version = GetParam();
  if (version != "1") {
    refuse_answer([&](api::SendRemoteJoinResponse& answer) {
      for (json::Raw& event : answer.state)
        if (is_of(event, "m.room.create"))
          replace(event.text, "\"room_version\":\"" + version + "\"", "\"room_version\":\"5\"");
    });
  }
  refuse_answer([](api::SendRemoteJoinResponse& answer) {
    for (json::Raw& event : answer.state)
      if (is_of(event, "m.room.create")) replace(event.text, "\"sender\":\"@dave:far.", "\"sender\":\"@dave:evil.");
  });
}

TEST_P(RoomOfOthersTest, a_state_that_does_not_allow_the_join_is_refused) {
  refuse_answer([](api::SendRemoteJoinResponse& answer) {
    std::erase_if(answer.state, [](const json::Raw& event) { return is_of(event, "m.room.join_rules"); });
  });
}

TEST_P(RoomOfOthersTest, a_join_whose_auth_events_are_left_out_is_refused) {
  refuse_answer([](api::SendRemoteJoinResponse& answer) {
    const auto is_levels = [](const json::Raw& event) { return is_of(event, "m.room.power_levels"); };
    std::erase_if(answer.state, is_levels);
    std::erase_if(answer.auth_chain, is_levels);
  });
}

TEST_P(RoomOfOthersTest, what_is_no_event_among_the_auth_chain_is_left_out) {
  const RoomId room = far.make_named_room(GetParam());
  far.change_answer = [](api::SendRemoteJoinResponse& answer) {
    answer.auth_chain.push_back({"{}"});
    answer.auth_chain.push_back({"nonsense"});
  };
  EXPECT_EQ(outcome(join_by(room, alice)), "ok");
}

TEST_P(RoomOfOthersTest, where_the_process_ends_half_way_joining_again_works) {
  for (const std::size_t written : {0U, 1U}) {
    const RoomId room = far.make_named_room(GetParam());
    host.fail_writes("room_server", unavailable("storage", "the disk is full"), 1, written);
    EXPECT_EQ(outcome(join_by(room, alice)), "unavailable/storage") << written;
    EXPECT_EQ(host.count("room_server", "SELECT COUNT(*) FROM rooms WHERE room_id = '" + room.str() + "'"),
              static_cast<std::int64_t>(written));
    restart_with_far();
    EXPECT_THAT(host.findings("room_server"), IsEmpty());
    expect_nothing_of(room);
  }
}

INSTANTIATE_TEST_SUITE_P(RoomVersions, RoomOfOthersTest, ::testing::Values("1", "6", "10", "12"),
                         [](const auto& instance) { return std::string("version_") + instance.param; });

}  // namespace
}  // namespace backplane::room_server
