#include "backplane/log/position.h"
#include "user_fixture.h"

namespace backplane::user_api {
namespace {

using ::testing::ElementsAre;

const UserId bob("@bob:test.example");
const RoomId room("!r:test.example");

struct AccountDataTest : UserFixture {
  AccountDataTest() {
    start();
    (void)sign_up("alice");
    (void)sign_up("bob");
  }
  auto set(const UserId& user, const RoomId& in, std::string type, std::string content) {
    return users->set_account_data({}, {user, in, std::move(type), {std::move(content)}});
  }
  std::string get(const UserId& user, const RoomId& in, std::string type) {
    const auto found = users->get_account_data({}, {user, in, std::move(type)});
    return found ? found->content.text : outcome(found);
  }
  auto tag(std::string name, std::string content) {
    return users->change_tag({}, {alice, room, std::move(name), {std::move(content)}});
  }
  /// user room type content, of a record's payload.
  static std::string line(std::string_view payload) {
    const auto record = from_json<api::ClientDataRecord>(payload);
    EXPECT_TRUE(record);
    return record->user.str() + " " + record->room.str() + " " + record->type + " " + record->content.text;
  }
  std::vector<std::string> published() {
    std::vector<std::string> out;
    for (const auto& record : host.records(api::client_data_topic)) out.push_back(line(record->payload));
    return out;
  }
};

TEST_F(AccountDataTest, IsByUserRoomAndType) {
  ASSERT_EQ(outcome(set(alice, {}, "t", R"({"a":1})")), "ok");
  ASSERT_EQ(outcome(set(alice, room, "t", R"({"a":2})")), "ok");
  ASSERT_EQ(outcome(set(bob, {}, "t", R"({"a":3})")), "ok");
  ASSERT_EQ(outcome(set(alice, {}, "t", R"({"a":4})")), "ok");
  EXPECT_EQ(get(alice, {}, "t"), R"({"a":4})");
  EXPECT_EQ(get(alice, room, "t"), R"({"a":2})");
  EXPECT_EQ(get(bob, {}, "t"), R"({"a":3})");
  EXPECT_EQ(get(bob, room, "t"), "not_found/");
  EXPECT_EQ(outcome(set(UserId("@x:other.example"), {}, "t", "{}")), "not_found/");
  EXPECT_THAT(published(),
              ElementsAre(R"(@alice:test.example  t {"a":1})", R"(@alice:test.example !r:test.example t {"a":2})",
                          R"(@bob:test.example  t {"a":3})", R"(@alice:test.example  t {"a":4})"));
  restart();
  EXPECT_EQ(get(alice, {}, "t"), R"({"a":4})");
}

TEST_F(AccountDataTest, AnswersThePositionOfItsRecordInOneCommit) {
  const auto before = commits();
  const auto first = set(alice, {}, "t", "{}");
  const auto second = set(bob, {}, "t", "{}");
  EXPECT_EQ(commits(), before + 2);
  const auto records = host.records(api::client_data_topic);
  ASSERT_EQ(records.size(), 2U);
  EXPECT_EQ(first->position, records[0]->position);
  EXPECT_EQ(second->position, records[1]->position);
  EXPECT_EQ(records[1]->key, bob.str());
}

TEST_F(AccountDataTest, TagsChangeOneByOne) {
  ASSERT_EQ(outcome(tag("m.favourite", R"({"order":0.5})")), "ok");
  ASSERT_EQ(outcome(tag("u.work", "{}")), "ok");
  EXPECT_EQ(get(alice, room, "m.tag"), R"({"tags":{"m.favourite":{"order":0.5},"u.work":{}}})");
  ASSERT_EQ(outcome(tag("m.favourite", R"({"order":0.25})")), "ok");
  ASSERT_EQ(outcome(tag("u.work", "")), "ok");
  ASSERT_EQ(outcome(tag("u.never", "")), "ok");
  EXPECT_EQ(get(alice, room, "m.tag"), R"({"tags":{"m.favourite":{"order":0.25}}})");
  EXPECT_EQ(published().size(), 5U);
}

TEST_F(AccountDataTest, TagsSurviveWhatAClientWroteThere) {
  ASSERT_EQ(outcome(set(alice, room, "m.tag", R"({"tags":5,"other":1})")), "ok");
  ASSERT_EQ(outcome(tag("u.work", R"({"order":1})")), "ok");
  EXPECT_EQ(get(alice, room, "m.tag"), R"({"tags":{"u.work":{"order":1}}})");
}

TEST_F(AccountDataTest, TheSnapshotHasWhatHoldsNowPageByPage) {
  for (int i = 0; i < 7; ++i)
    (void)set(i % 2 == 0 ? alice : bob, {}, "t" + std::to_string(i), R"({"n":)" + std::to_string(i) + "}");
  (void)set(alice, {}, "t0", R"({"n":"again"})");
  auto all = published();
  all.erase(all.begin());  // t0's first is not what holds
  const auto head = host.records(api::client_data_topic).back()->position;
  for (const std::uint32_t limit : {1U, 3U, 7U, 500U}) {
    std::vector<std::string> lines;
    log::Positions after;
    for (bool last = false; !last;) {
      const auto page = users->list_client_data({}, {after.encode(), limit});
      ASSERT_EQ(outcome(page), "ok");
      ASSERT_LE(page->records.size(), limit);
      for (const auto& record : page->records) {
        EXPECT_GT(record.position.sequence, after.base());
        after = log::Positions(record.position.sequence);
        lines.push_back(line(record.payload.text));
        EXPECT_EQ(record.key, from_json<api::ClientDataRecord>(record.payload.text)->user.str());
      }
      last = page->last;
      EXPECT_TRUE(last || !page->records.empty());
      const auto as_of = log::Positions::decode(page->as_of);
      ASSERT_TRUE(as_of);
      EXPECT_TRUE(as_of->covers(head));
    }
    EXPECT_EQ(lines, all) << limit;
  }
}

TEST_F(AccountDataTest, APageThatIsNotTheLastHasARecord) {
  (void)set(alice, {}, "a", "{}");
  (void)set(alice, {}, "b", "{}");
  const auto page = users->list_client_data({}, {"0", 0});
  ASSERT_EQ(outcome(page), "ok");
  EXPECT_EQ(page->records.size(), 1U);
  EXPECT_FALSE(page->last);
  EXPECT_EQ(outcome(users->list_client_data({}, {"x", 5})), "invalid/invalid_param");
}

}  // namespace
}  // namespace backplane::user_api
