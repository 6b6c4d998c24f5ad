// An interface that the tests of calls share.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backplane/api/method_description.h"
#include "backplane/matrix/ids.h"

namespace backplane::api::test {

enum class Mood : std::uint8_t { glad, sad };
BACKPLANE_ENUM(Mood, glad, sad);

struct Detail {
  std::string text;
  std::int64_t number = 0;
};
BACKPLANE_FIELDS(Detail, text, number);

struct Everything {
  UserId user;
  bool flag = false;
  std::int64_t number = 0;
  std::uint32_t small = 0;
  double real = 0;
  std::string text;
  std::optional<std::string> maybe;
  std::vector<Detail> details;
  std::map<std::string, std::vector<std::int64_t>> lists;
  Mood mood = Mood::glad;
  json::Raw raw;
  Bytes bytes;
};
BACKPLANE_FIELDS(Everything, user, flag, number, small, real, text, maybe, details, lists, mood, raw, bytes);

struct Question {
  std::string text;
};
BACKPLANE_FIELDS(Question, text);
struct Answer {
  std::string text;
};
BACKPLANE_FIELDS(Answer, text);

struct Oracle : Interface {
  static constexpr std::string_view interface_id = "org.example.oracle/1";
  Oracle() : Interface(interface_id) {}
  Method<Question, Answer> ask{*this, "ask", {.repeatable = true}};
  Method<Everything, Everything> echo{*this, "echo"};
  DeferredMethod<Question, Answer> ask_afar{*this, "ask_afar", {.routing = Routing::key, .key_field = "text"}};
};

inline Everything everything() {
  Everything e;
  e.user = UserId("@zoë:example.org");
  e.flag = true;
  e.number = -9'007'199'254'740'991;
  e.small = 4'294'967'295;
  e.real = 0.25;
  e.text = "a \"quoted\"\nline \xf0\x9f\x92\xa1";
  e.maybe = "";
  e.details = {{"one", 1}, {"", 0}};
  e.lists = {{"", {}}, {"primes", {2, 3, 5}}};
  e.mood = Mood::sad;
  e.raw.text = R"({"body":[1,null,"x"]})";
  e.bytes.data = std::string("\0\xff", 2);
  return e;
}

}  // namespace backplane::api::test
