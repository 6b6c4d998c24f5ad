#include "backplane/matrix/server_acl.h"

#include <gtest/gtest.h>

namespace backplane::matrix {
namespace {

struct Case {
  const char* content;
  const char* server;
  bool allowed;
};

struct ServerAclTest : ::testing::TestWithParam<Case> {};

TEST_P(ServerAclTest, decides) {
  const auto& [content, server, allowed] = GetParam();
  EXPECT_EQ(ServerAcl(content).allows(ServerName(server)), allowed) << content << " " << server;
}

constexpr const char* no_evil = R"({"allow":["*"],"deny":["*.evil.example","evil.example"]})";
INSTANTIATE_TEST_SUITE_P(Lists, ServerAclTest,
                         ::testing::Values(Case{no_evil, "good.example", true}, Case{no_evil, "evil.example", false},
                                           Case{no_evil, "very.evil.example", false},
                                           Case{no_evil, "notevil.example", true},
                                           Case{no_evil, "evil.example.org", true},
                                           Case{R"({"allow":["a.example"]})", "a.example", true},
                                           Case{R"({"allow":["a.example"]})", "b.example", false},
                                           Case{R"({"allow":["*.example"],"deny":["*"]})", "a.example", false}));

// "the suspect server's port number must not be considered"
INSTANTIATE_TEST_SUITE_P(Ports, ServerAclTest,
                         ::testing::Values(Case{no_evil, "evil.example:8448", false},
                                           Case{no_evil, "good.example:1", true},
                                           Case{R"({"allow":["*"],"deny":["a.example:8448"]})", "a.example:8448", true},
                                           Case{R"({"allow":["*"],"deny":["[::1]"]})", "[::1]:8448", false}));

INSTANTIATE_TEST_SUITE_P(
    Letters, ServerAclTest,
    ::testing::Values(Case{no_evil, "EVIL.example", false}, Case{R"({"allow":["*.EXAMPLE"]})", "a.example", true},
                      Case{R"({"allow":["*"],"deny":["[2001:DB8::*]"]})", "[2001:db8::7]", false}));

constexpr const char* no_literals = R"({"allow":["*"],"allow_ip_literals":false})";
INSTANTIATE_TEST_SUITE_P(
    IpLiterals, ServerAclTest,
    ::testing::Values(Case{no_literals, "1.2.3.4", false}, Case{no_literals, "1.2.3.4:8448", false},
                      Case{no_literals, "[::1]", false}, Case{no_literals, "[::ffff:1.2.3.4]:8448", false},
                      Case{no_literals, "a.example", true}, Case{no_literals, "1.2.3.4.example", true},
                      Case{no_literals, "1.2.3", true}, Case{no_literals, "1.2.3.4.5", true},
                      Case{no_literals, "1..3.4", true}, Case{no_literals, "1.2.3.1234", true},
                      Case{no_literals, "1.2.3.", true},
                      Case{R"({"allow":["*"],"allow_ip_literals":true})", "1.2.3.4", true},
                      Case{R"({"allow":["1.2.3.*"],"allow_ip_literals":false})", "1.2.3.4", false}));

// Absent, or of another kind than the specification's
INSTANTIATE_TEST_SUITE_P(BadContent, ServerAclTest,
                         ::testing::Values(Case{"{}", "a.example", false}, Case{R"({"allow":[]})", "a.example", false},
                                           Case{R"({"allow":"*"})", "a.example", false},
                                           Case{R"({"allow":{"*":"*"}})", "a.example", false},
                                           Case{R"({"allow":[1,null,["*"]]})", "a.example", false},
                                           Case{R"({"allow":[1,"*"]})", "a.example", true},
                                           Case{R"({"allow":["*"],"deny":"*"})", "a.example", true},
                                           Case{R"({"allow":["*"],"deny":[{},"a.*"]})", "a.example", false},
                                           Case{R"({"allow":["*"],"allow_ip_literals":"false"})", "1.2.3.4", true},
                                           Case{R"({"allow":["*"],"allow_ip_literals":0})", "1.2.3.4", true},
                                           Case{R"({"allow":["*"],"allow_ip_literals":null})", "1.2.3.4", true},
                                           Case{"", "a.example", false}, Case{"[]", "a.example", false}));

INSTANTIATE_TEST_SUITE_P(
    Globs, ServerAclTest,
    ::testing::Values(Case{R"({"allow":["?.example"]})", "a.example", true},
                      Case{R"({"allow":["?.example"]})", "ab.example", false},
                      Case{R"({"allow":["?.example"]})", ".example", false}, Case{R"({"allow":["a*"]})", "a", true},
                      Case{R"({"allow":["*a*b*"]})", "xxaxbxbx", true}, Case{R"({"allow":["*a*b"]})", "ababa", false},
                      Case{R"({"allow":["**"]})", "a", true}, Case{R"({"allow":["*?"]})", "a", true},
                      Case{R"({"allow":[""]})", "a", false}, Case{R"({"allow":["a.example"]})", "aXexample", false},
                      Case{R"({"allow":["[ab].example"]})", "a.example", false},
                      Case{R"({"allow":["a.exampl\\e"]})", "a.example", false},
                      Case{R"({"allow":["*ä*"]})", "a.example", false}));

TEST(ServerAcl, takes_no_time_to_speak_of_for_a_pattern_of_many_stars) {
  std::string pattern;
  for (int i = 0; i < 20000; ++i) pattern += "*a";
  const ServerAcl acl(R"({"allow":[")" + pattern + R"(b"]})");
  EXPECT_FALSE(acl.allows(ServerName(std::string(230, 'a'))));
}

}  // namespace
}  // namespace backplane::matrix
