#include "backplane/matrix/signing.h"

#include <gtest/gtest.h>

#include "backplane/matrix/canonical_json.h"
#include "backplane/matrix/event_hash.h"

namespace backplane::matrix {
namespace {

// Spec: appendices, "Cryptographic Test Vectors".
SigningKey spec_key() {
  return SigningKey::from_key_file_line("ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1\n").value();
}

std::string sign(std::string_view text) {
  const auto document = json::Document::parse_object(text);
  return sign_json(document->root(), "domain", spec_key());
}

TEST(Signing, json_of_the_specification) {
  EXPECT_EQ(sign("{}"),
            R"({"signatures":{"domain":{"ed25519:1":"K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/)"
            R"(7Xg4ahLwYGYZzuHGZKM5ZAQ"}}})");
  EXPECT_EQ(sign(R"({"two": "Two", "one": 1})"),
            R"({"one":1,"signatures":{"domain":{"ed25519:1":"KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSo)"
            R"(qE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw"}},"two":"Two"})");
}

TEST(Signing, events_of_the_specification) {
  const RoomVersion& v1 = *find_room_version("1");
  const SigningKey key = spec_key();
  const auto minimal = json::Document::parse(R"({"room_id": "!x:domain", "sender": "@a:domain", "origin": "domain",
      "origin_server_ts": 1000000, "signatures": {}, "hashes": {}, "type": "X", "content": {}, "prev_events": [],
      "auth_events": [], "depth": 3, "unsigned": {"age_ts": 1000000}})");
  EXPECT_EQ(hash_and_sign(minimal->root().canonical(), v1, ServerName("domain"), key),
            R"({"auth_events":[],"content":{},"depth":3,)"
            R"("hashes":{"sha256":"5jM4wQpv6lnBo7CLIghJuHdW+s2CMBJPUOGOC89ncos"},)"
            R"("origin":"domain","origin_server_ts":1000000,"prev_events":[],"room_id":"!x:domain",)"
            R"("sender":"@a:domain","signatures":{"domain":{"ed25519:1":)"
            R"("KxwGjPSDEtvnFgU00fwFz+l6d2pJM6XBIaMEn81SXPTRl16AqLAYqfIReFGZlHi5KLjAWbOoMszkwsQma+lYAg"}},)"
            R"("type":"X","unsigned":{"age_ts":1000000}})");
  const auto redactable = json::Document::parse(R"({"content": {"body": "Here is the message content"},
      "event_id": "$0:domain", "origin": "domain", "origin_server_ts": 1000000, "type": "m.room.message",
      "room_id": "!r:domain", "sender": "@u:domain", "signatures": {}, "unsigned": {"age_ts": 1000000}})");
  const std::string signed_event = hash_and_sign(redactable->root().canonical(), v1, ServerName("domain"), key);
  EXPECT_EQ(json::find_raw(signed_event, "hashes"), R"({"sha256":"onLKD1bGljeBWQhWZ1kaP9SorVmRQNdN5aM2JYU2n/g"})");
  EXPECT_EQ(json::find_raw(signed_event, "signatures"),
            R"({"domain":{"ed25519:1":"Wm+VzmOUOz08Ds+0NTWb1d4CZrVsJSikkeRxh6aCcUwu6pNC78FunoD7KNWzqFn241eYHYMGCA5McE)"
            R"(iVPdhzBA"}})");
}

TEST(Signing, a_signed_object_verifies_until_it_is_changed) {
  const auto check = [](std::string_view text, std::string_view entity, std::string_view key_id) {
    const auto document = json::Document::parse_object(text);
    return verify_json(document->root(), entity, key_id, spec_key().public_key());
  };
  std::string text = sign(R"({"one": 1, "unsigned": {"x": 1}, "signatures": {"other": {"ed25519:a": "abc"}}})");
  EXPECT_TRUE(check(text, "domain", "ed25519:1"));
  EXPECT_FALSE(check(text, "domain", "ed25519:2"));
  EXPECT_FALSE(check(text, "other", "ed25519:a"));
  const auto document = json::Document::parse_object(text);
  EXPECT_EQ(signatures_of(document->root()).size(), 2u);
  text.replace(text.find("\"x\":1"), 5, "\"x\":2");
  EXPECT_TRUE(check(text, "domain", "ed25519:1"));  // unsigned is not covered
  text.replace(text.find("\"one\":1"), 7, "\"one\":2");
  EXPECT_FALSE(check(text, "domain", "ed25519:1"));
}

TEST(Signing, keys_return_from_their_files) {
  const auto key = SigningKey::generate("a_key", system_random());
  ASSERT_TRUE(key);
  EXPECT_EQ(key->key_id(), "ed25519:a_key");
  const auto again = SigningKey::from_key_file_line(key->key_file_line());
  ASSERT_TRUE(again);
  EXPECT_EQ(again->public_key(), key->public_key());
  EXPECT_EQ(again->sign("x"), key->sign("x"));
  EXPECT_TRUE(verify_signature("x", key->sign("x"), key->public_key()));
  EXPECT_FALSE(verify_signature("y", key->sign("x"), key->public_key()));
  EXPECT_FALSE(verify_signature("x", "no base64!", key->public_key()));
  EXPECT_FALSE(verify_signature("x", key->sign("x"), "short"));
  for (const char* line :
       {"", "ed25519", "ed25519 a", "ed25519 a short", "rsa a YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1",
        "ed25519 a:b YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1"}) {
    EXPECT_FALSE(SigningKey::from_key_file_line(line)) << line;
  }
  EXPECT_EQ(SigningKey::generate("a b", system_random()).error().reason, "bad_key_version");
}

TEST(Signing, a_key_can_be_moved) {
  SigningKey key = spec_key();
  const std::string line = key.key_file_line();
  SigningKey moved = std::move(key);
  EXPECT_EQ(moved.key_file_line(), line);
  key = std::move(moved);
  EXPECT_EQ(key.key_file_line(), line);
}

}  // namespace
}  // namespace backplane::matrix
