// An event judged by a state, both of the fuzzer's making. The first byte is the room version; the rest is lines: the
// contents of the create, power levels and join rules events, memberships of the sender and the target, the content of
// a third-party invite, then type, state key, sender and content of the event. What is no JSON object is an empty one.
#include "backplane/base/json.h"
#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/auth_state.h"
#include "backplane/matrix/event_builder.h"
#include "fuzz.h"

using namespace backplane;
using namespace backplane::matrix;
using fuzz::promise;

namespace {

class Lines {
 public:
  explicit Lines(std::string_view text) : text_(text) {}
  std::string_view next() {
    const std::string_view line = text_.substr(0, text_.find('\n'));
    text_.remove_prefix(std::min(text_.size(), line.size() + 1));
    return line;
  }

 private:
  std::string_view text_;
};

std::string content(std::string_view line, const RoomVersion& version) {
  const auto document = json::Document::parse_object(line);
  if (!document) return "{}";
  const auto canonical = canonical_content(document->root(), version);
  return canonical ? *canonical : "{}";
}

Event event(const RoomVersion& version, std::string_view type, std::string_view key, std::string_view sender,
            const std::string& content, std::string_view prev_events = "[]") {
  std::string text = R"({"auth_events":[],"content":)" + content + R"(,"prev_events":)" + std::string(prev_events);
  if (version.room_id_format == RoomIdFormat::with_domain) text += R"(,"room_id":"!create:a")";
  else if (type != "m.room.create") text += R"(,"room_id":"!create")";
  text += R"(,"sender":)" + json::quoted(sender) + R"(,"state_key":)" + json::quoted(key) + R"(,"type":)" +
          json::quoted(type) + "}";
  return Event::from_stored(std::move(text), EventId("$create"), version);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const RoomVersion& version = fuzz::room_version(data[0]);
  Lines lines({reinterpret_cast<const char*>(data) + 1, size - 1});
  const std::string creator = "@c:a", user = "@u:b";
  std::vector<Event> state;
  state.push_back(event(version, "m.room.create", "", creator, content(lines.next(), version)));
  state.push_back(event(version, "m.room.power_levels", "", creator, content(lines.next(), version)));
  state.push_back(event(version, "m.room.join_rules", "", creator, content(lines.next(), version)));
  state.push_back(event(version, "m.room.member", user, user, content(lines.next(), version)));
  state.push_back(event(version, "m.room.member", creator, creator, content(lines.next(), version)));
  state.push_back(event(version, "m.room.third_party_invite", "t", user, content(lines.next(), version)));
  const std::string_view type = lines.next(), key = lines.next();
  const std::string sender(lines.next());
  const std::string_view prev_events =
      version.event_format == EventFormat::event_id_in_event ? R"([["$create",{}]])" : R"(["$create"])";
  const Event subject = event(version, type, key, sender, content(lines.next(), version), prev_events);

  const EventAuthState auth_state = auth_state_of(state);
  const auto rejection = check_auth_rules(AuthSubject::of(subject), version, auth_state);
  const auto again = check_auth_rules(AuthSubject::of(subject), version, auth_state_of(state));
  promise(rejection.has_value() == again.has_value(), "the rules answer the same twice");
  if (rejection) {
    promise(!rejection->rule.empty() && !rejection->reason.empty() && !rejection->text.empty(),
            "a rejection has a reason, a number in the room version, and a text");
    promise(rejection->rule == again->rule, "a rejection is the same twice");
  }
  std::vector<AuthEvent> auth_events;
  for (const auto& each : state) auth_events.push_back({each});
  (void)check_auth_events(subject, auth_events, state.front());
  (void)may_apply_redaction(subject, state.back(), auth_state.power_levels());
  (void)required_auth_events(AuthSubject::of(subject), version);
  return 0;
}
