// Two builds that describe anything differently have different fingerprints.
#include <gtest/gtest.h>

#include <set>

#include "test_interface.h"

namespace backplane::api::test {
namespace {

struct Renamed {
  std::string words;
};
BACKPLANE_FIELDS(Renamed, words);
struct Retyped {
  std::int64_t text = 0;
};
BACKPLANE_FIELDS(Retyped, text);
struct Narrower {
  std::int32_t text = 0;
};
BACKPLANE_FIELDS(Narrower, text);
struct Unsigned {
  std::uint64_t text = 0;
};
BACKPLANE_FIELDS(Unsigned, text);
struct Optional {
  std::optional<std::string> text;
};
BACKPLANE_FIELDS(Optional, text);
struct Many {
  std::vector<std::string> text;
};
BACKPLANE_FIELDS(Many, text);
struct Mapped {
  std::map<std::string, std::string> text;
};
BACKPLANE_FIELDS(Mapped, text);
struct Longer {
  std::string text;
  bool more = false;
};
BACKPLANE_FIELDS(Longer, text, more);
struct Reordered {
  bool more = false;
  std::string text;
};
BACKPLANE_FIELDS(Reordered, more, text);
struct Nested {
  Question text;
};
BACKPLANE_FIELDS(Nested, text);
struct RawText {
  json::Raw text;
};
BACKPLANE_FIELDS(RawText, text);
struct Binary {
  Bytes text;
};
BACKPLANE_FIELDS(Binary, text);
enum class Other : std::uint8_t { glad, mad };
BACKPLANE_ENUM(Other, glad, mad);
struct Glad {
  Mood text = Mood::glad;
};
BACKPLANE_FIELDS(Glad, text);
struct Mad {
  Other text = Other::glad;
};
BACKPLANE_FIELDS(Mad, text);

template <class Request, class Response = Answer>
std::string of(std::string_view id = "x/1", std::string_view name = "ask", MethodTraits traits = {}) {
  struct Sample : Interface {
    Sample(std::string_view id, std::string_view name, MethodTraits traits)
        : Interface(id), method(*this, name, traits) {}
    Method<Request, Response> method;
  };
  return Sample(id, name, traits).fingerprint();
}

std::string of_deferred() {
  struct Sample : Interface {
    Sample() : Interface("x/1") {}
    DeferredMethod<Question, Answer> method{*this, "ask"};
  };
  return Sample().fingerprint();
}

std::string of_two(std::string_view first, std::string_view second) {
  struct Sample : Interface {
    Sample(std::string_view a, std::string_view b) : Interface("x/1"), one(*this, a), two(*this, b) {}
    Method<Question, Answer> one, two;
  };
  return Sample(first, second).fingerprint();
}

TEST(FingerprintTest, DiffersOnEveryChange) {
  const std::vector<std::string> all{of<Question>(),
                                     of<Question>("x/2"),
                                     of<Question>("x/1", "asks"),
                                     of<Question>("x/1", "ask", {.repeatable = true}),
                                     of<Question>("x/1", "ask", {.routing = Routing::key, .key_field = "text"}),
                                     of<Question>("x/1", "ask", {.routing = Routing::key, .key_field = "texts"}),
                                     of<Renamed>(),
                                     of<Retyped>(),
                                     of<Narrower>(),
                                     of<Unsigned>(),
                                     of<Optional>(),
                                     of<Many>(),
                                     of<Mapped>(),
                                     of<Longer>(),
                                     of<Reordered>(),
                                     of<Nested>(),
                                     of<RawText>(),
                                     of<Binary>(),
                                     of<Glad>(),
                                     of<Mad>(),
                                     of<Nothing>(),
                                     of<Question, Renamed>(),
                                     of<Question, Nothing>(),
                                     of_deferred(),
                                     of_two("ask", "tell"),
                                     of_two("tell", "ask")};
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size());
  for (const std::string& fingerprint : all) {
    EXPECT_EQ(fingerprint.size(), 16U);
    EXPECT_EQ(fingerprint.find_first_not_of("0123456789abcdef"), std::string::npos);
  }
}

TEST(FingerprintTest, IsTheSameForTheSameDescription) {
  EXPECT_EQ(of<Question>(), of<Answer>()) << "the names of the C++ types do not travel";
  EXPECT_EQ(Oracle().fingerprint(), Oracle().fingerprint());
}

}  // namespace
}  // namespace backplane::api::test
