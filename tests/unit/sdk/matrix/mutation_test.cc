// Damaged input: whatever the text, parsers answer and scanners stay inside it (run with the asan preset).
#include <gtest/gtest.h>

#include "backplane/base/random.h"
#include "backplane/matrix/canonical_json.h"
#include "backplane/matrix/client_event.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/redaction.h"
#include "test_events.h"

namespace backplane::matrix {
namespace {

void use(const Event& event) {
  std::string out;
  append_client_event(out, event, "");
  (void)redact(event);
  (void)signatures_of(event);
  (void)required_signers(event);
  (void)required_auth_events(AuthSubject::of(event), event.room_version());
  (void)RoomCreation::of(event);
  (void)event.prev_events();
}

TEST(Mutation, damaged_events_do_no_harm) {
  TestRoom room(version("11"));
  EventDraft draft = room.draft("m.room.member", "@u\n:a", "@u:a", R"({"membership":"invite","a":[1,{"b":"\\\"]"}],
      "third_party_invite":{"signed":{"token":"t","signatures":{"x":{"ed25519:1":"y"}}}}})");
  const std::string good(room.build(draft).json());
  Random& random = system_random();
  constexpr std::string_view characters = "\"\\{}[],: 0-e\x01\xff\xed";
  for (int i = 0; i < 20000; ++i) {
    std::string text = good;
    for (std::uint64_t n = random.below(4) + 1; n > 0; --n) {
      if (text.empty()) break;
      const auto at = random.below(text.size());
      switch (random.below(4)) {
        case 0: text[at] = characters[random.below(characters.size())]; break;
        case 1: text.erase(at, random.below(20) + 1); break;
        case 2: text.insert(at, text.substr(random.below(text.size()), random.below(30))); break;
        default: text.resize(at + 1); break;
      }
    }
    text.shrink_to_fit();
    use(Event::from_stored(text, EventId("$x"), version("11")));
    if (const auto parsed = Event::parse_untrusted(text, version("11"))) {
      use(*parsed);
      ASSERT_EQ(canonical(parsed->json()), parsed->json());
      ASSERT_EQ(reference_event_id(parsed->json(), version("11")), parsed->event_id());
    }
  }
}

TEST(Mutation, what_is_accepted_has_one_canonical_form) {
  Random& random = system_random();
  constexpr std::string_view alphabet = "{}[]\",:\\u0d8e1. -tfnrle\xc3\xa9";
  int accepted = 0;
  for (int i = 0; i < 100000; ++i) {
    const std::string first = random.text(random.below(6), alphabet);
    const std::string text = "[\"" + first + "\"," + random.text(random.below(5), alphabet) + "]";
    const auto document = json::Document::parse(text);
    if (!document) continue;
    ++accepted;
    const std::string once = document->root().canonical();
    ASSERT_TRUE(is_utf8(once)) << text;
    const auto again = json::Document::parse(once);
    ASSERT_TRUE(again) << text << " " << once;
    ASSERT_EQ(again->root().canonical(), once);
    ASSERT_EQ(json::unquote(json::quoted(text)), text);
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace backplane::matrix
