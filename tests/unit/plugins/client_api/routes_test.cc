#include "client_fixture.h"

namespace backplane::client_api {
namespace {

using http::Method;
using ::testing::MatchesRegex;

struct RoutesTest : ClientFixture {
  http::Response log_in(std::string user, std::string password) {
    return ask({Method::post, "v3|r0/login",
                R"({"type":"m.login.password","identifier":{"type":"m.id.user","user":")" + user +
                    R"("},"password":")" + password + "\"}"});
  }
  http::Response whoami(std::string token) { return ask({Method::get, "v3|r0/account/whoami", "", std::move(token)}); }
};

TEST_F(RoutesTest, RegistrationAsksForItsStages) {
  const auto asked = register_with(R"({"username":"alice","password":"correct horse"})");
  EXPECT_EQ(outcome(asked), "401");
  EXPECT_EQ(member(asked, "flows"), R"([{"stages":["m.login.dummy"]}])");
  EXPECT_EQ(member(asked, "params"), "{}");
  const auto made = register_with(
      R"({"username":"alice","password":"correct horse","device_id":"PHONE","auth":{"type":"m.login.dummy","session":")" +
      member(asked, "session") + "\"}}");
  ASSERT_EQ(outcome(made), "200") << made.body;
  EXPECT_EQ(member(made, "user_id"), "@alice:test.example");
  EXPECT_EQ(member(made, "device_id"), "PHONE");
  EXPECT_EQ(member(made, "home_server"), "test.example");
  const auto who = whoami(member(made, "access_token"));
  EXPECT_EQ(member(who, "user_id"), "@alice:test.example");
  EXPECT_EQ(member(who, "device_id"), "PHONE");
  EXPECT_EQ(member(who, "is_guest"), "false");
}

TEST_F(RoutesTest, RegistrationRefusesANameBeforeTheStages) {
  (void)sign_up();
  EXPECT_EQ(outcome(register_with(R"({"username":"alice"})")), "400 M_USER_IN_USE");
  EXPECT_EQ(outcome(register_with(R"({"username":"a b"})")), "400 M_INVALID_USERNAME");
  EXPECT_EQ(outcome(register_with(R"({"username":"123"})")), "400 M_INVALID_USERNAME");
  EXPECT_EQ(outcome(register_with(R"({"username":5})")), "400 M_BAD_JSON");
  EXPECT_EQ(outcome(register_with("{")), "400 M_NOT_JSON");
  EXPECT_EQ(outcome(register_with("{}", "kind=robot")), "400 M_INVALID_PARAM");
  EXPECT_EQ(outcome(register_with(R"({"username":"bob","auth":{"type":"m.login.dummy"}})")), "400 M_MISSING_PARAM");
  EXPECT_EQ(outcome(register_with(R"({"username":"bob","password":"x","auth":{"type":"m.login.dummy"}})")),
            "400 M_WEAK_PASSWORD");
}

TEST_F(RoutesTest, RegistrationDownCasesNames) {
  EXPECT_EQ(sign_up("AliceMixed").substr(0, 3), "bp_");
  EXPECT_EQ(outcome(register_with(R"({"username":"ALICEMIXED"})")), "400 M_USER_IN_USE");
  EXPECT_EQ(outcome(log_in("AliceMixed", "correct horse")), "200");
  EXPECT_EQ(outcome(log_in("@alicemixed:test.example", "correct horse")), "200");
}

TEST_F(RoutesTest, RegistrationByToken) {
  restart({{"registration", std::string("token")}, {"registration_tokens", std::vector<std::string>{"sesame"}}});
  const auto with = [&](std::string token) {
    return register_with(
        R"({"username":"alice","password":"correct horse","auth":{"type":"m.login.registration_token","token":")" +
        token + "\"}}");
  };
  EXPECT_EQ(member(register_with("{}"), "flows"), R"([{"stages":["m.login.registration_token"]}])");
  EXPECT_EQ(outcome(register_with(R"({"username":"alice","auth":{"type":"m.login.dummy"}})")), "401")
      << "is not enough";
  const auto wrong = with("barley");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_NE(member(wrong, "errcode"), "absent");
  EXPECT_EQ(outcome(with("sesame")), "200");
}

TEST_F(RoutesTest, RegistrationClosed) {
  restart({{"registration", std::string("closed")}});
  EXPECT_EQ(outcome(register_with("{}")), "403 M_FORBIDDEN");
  EXPECT_EQ(outcome(register_with("{}", "kind=guest")), "403 M_GUEST_ACCESS_FORBIDDEN");
}

TEST_F(RoutesTest, GuestsMayNotDoAll) {
  restart({{"guests", true}});
  const auto guest = register_with("{}", "kind=guest");
  ASSERT_EQ(outcome(guest), "200") << guest.body;
  const std::string token = member(guest, "access_token");
  EXPECT_EQ(member(whoami(token), "is_guest"), "true");
  EXPECT_EQ(outcome(ask({Method::post, "v3|r0/account/password", "{}", token})), "403 M_GUEST_ACCESS_FORBIDDEN");
}

TEST_F(RoutesTest, TokensAreChecked) {
  EXPECT_EQ(outcome(whoami("")), "401 M_MISSING_TOKEN");
  EXPECT_EQ(outcome(whoami("nonsense")), "401 M_UNKNOWN_TOKEN");
  const std::string token = sign_up();
  EXPECT_EQ(outcome(whoami(token)), "200");
  EXPECT_EQ(outcome(ask({Method::post, "v3|r0/logout", "{}", token})), "200");
  EXPECT_EQ(outcome(whoami(token)), "401 M_UNKNOWN_TOKEN") << "at once, though it was kept";
}

TEST_F(RoutesTest, LogInErrors) {
  (void)sign_up();
  EXPECT_EQ(outcome(log_in("alice", "correct horse")), "200");
  EXPECT_EQ(outcome(log_in("alice", "wrong")), "403 M_FORBIDDEN");
  EXPECT_EQ(outcome(ask({Method::post, "v3|r0/login", R"({"type":"m.login.magic"})"})), "400 M_UNKNOWN");
  EXPECT_EQ(outcome(ask({Method::post, "v3|r0/login",
                         R"({"type":"m.login.password","identifier":{"type":"m.id.user","user":"alice"}})"})),
            "400 M_BAD_JSON");
  for (int i = 0; i < 2; ++i) (void)log_in("alice", "wrong");
  const auto limited = log_in("alice", "correct horse");
  EXPECT_EQ(outcome(limited), "429 M_LIMIT_EXCEEDED");
  EXPECT_NE(member(limited, "retry_after_ms"), "absent");
}

TEST_F(RoutesTest, APasswordIsChangedWithThePassword) {
  const std::string token = sign_up();
  const std::string other = member(log_in("alice", "correct horse"), "access_token");
  const auto change = [&](std::string auth) {
    return ask({Method::post, "v3|r0/account/password", R"({"new_password":"battery staple")" + auth + "}", token});
  };
  const auto asked = change("");
  EXPECT_EQ(outcome(asked), "401");
  EXPECT_EQ(member(asked, "flows"), R"([{"stages":["m.login.password"]}])");
  const std::string session = member(asked, "session");
  const auto auth = [&](std::string password, std::string user) {
    return R"(,"auth":{"type":"m.login.password","session":")" + session +
           R"(","identifier":{"type":"m.id.user","user":")" + user + R"("},"password":")" + password + "\"}";
  };
  EXPECT_EQ(outcome(change(auth("wrong", "alice"))), "401 M_FORBIDDEN");
  EXPECT_EQ(outcome(change(auth("correct horse", "bob"))), "403 M_FORBIDDEN");
  EXPECT_EQ(outcome(change(auth("correct horse", "@alice:test.example"))), "200");
  EXPECT_EQ(outcome(whoami(token)), "200") << "the device that asked stays";
  EXPECT_EQ(outcome(whoami(other)), "401 M_UNKNOWN_TOKEN");
  EXPECT_EQ(outcome(log_in("alice", "battery staple")), "200");
}

TEST_F(RoutesTest, ProfilesOfOthersAreReadOnly) {
  const std::string token = sign_up();
  const auto put = [&](std::string user, std::string key, std::string body) {
    return ask({Method::put,
                "v3|r0/profile/{userId}/{keyName}",
                std::move(body),
                token,
                {{"userId", std::move(user)}, {"keyName", std::move(key)}}});
  };
  EXPECT_EQ(outcome(put("@bob:test.example", "displayname", R"({"displayname":"x"})")), "403 M_FORBIDDEN");
  EXPECT_EQ(outcome(put("@alice:test.example", "displayname", "{}")), "400 M_MISSING_PARAM");
  EXPECT_EQ(outcome(put("@alice:test.example", "displayname", R"({"displayname":5})")), "400 M_BAD_JSON");
  EXPECT_EQ(outcome(put("@alice:test.example", "displayname", R"({"displayname":"A"})")), "200");
  EXPECT_EQ(outcome(put("@alice:test.example", "m.tz", R"({"m.tz":"Europe/Rome"})")), "200");
  EXPECT_EQ(outcome(put("@alice:test.example", std::string(300, 'k'), "{\"" + std::string(300, 'k') + "\":1}")),
            "400 M_KEY_TOO_LARGE");
  const auto profile = ask({Method::get, "v3|r0/profile/{userId}", "", "", {{"userId", "@alice:test.example"}}});
  EXPECT_EQ(profile.body, R"({"displayname":"A","m.tz":"Europe/Rome"})");
  EXPECT_EQ(outcome(ask({Method::get, "v3|r0/profile/{userId}", "", "", {{"userId", "@nobody:test.example"}}})),
            "404 M_NOT_FOUND");
}

TEST_F(RoutesTest, DevicesAreDeletedWithThePassword) {
  const std::string token = sign_up();
  const auto remove = [&](std::string body) {
    return ask({Method::post, "v3|r0/delete_devices", std::move(body), token});
  };
  EXPECT_EQ(outcome(remove(R"({"devices":[5]})")), "400 M_BAD_JSON");
  EXPECT_EQ(outcome(remove(R"({"devices":[]})")), "401");
  EXPECT_EQ(
      outcome(remove(R"({"devices":[],"auth":{"type":"m.login.password","password":"correct horse","user":"alice"}})")),
      "200");
  EXPECT_EQ(outcome(whoami(token)), "200");
}

TEST_F(RoutesTest, WithoutAnEduServerItIsUnavailable) {
  const std::string token = sign_up();
  const auto sent = ask({Method::put,
                         "v3|r0/sendToDevice/{eventType}/{txnId}",
                         R"({"messages":{}})",
                         token,
                         {{"eventType", "m.x"}, {"txnId", "1"}}});
  EXPECT_GE(sent.status, 500);
}

}  // namespace
}  // namespace backplane::client_api
