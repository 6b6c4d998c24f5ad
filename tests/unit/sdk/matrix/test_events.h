// Events for tests: built and signed by the builder with the key of the specification's test vectors.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <optional>
#include <string>
#include <utility>

#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/canonical_json.h"
#include "backplane/matrix/event_builder.h"

namespace backplane::matrix {

inline SigningKey test_key() {
  return SigningKey::from_key_file_line("ed25519 1 YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1").value();
}
inline const RoomVersion& version(std::string_view id) { return *find_room_version(id); }
inline std::string canonical(std::string_view text) {
  auto document = json::Document::parse(text);
  EXPECT_TRUE(document) << text;
  return document ? document->root().canonical() : "{}";
}

/// A room's state, and the events that build it.
class TestRoom {
 public:
  explicit TestRoom(const RoomVersion& v, std::string create_content = "{}", std::string creator = "@creator:a")
      : version_(v) {
    if (!v.creator_is_sender && create_content == "{}") create_content = R"({"creator":")" + creator + R"("})";
    if (v.room_id_format == RoomIdFormat::with_domain) room_id_ = RoomId("!room:" + server_of(UserId(creator)).str());
    const Event create = set("m.room.create", "", creator, create_content);
    room_id_ = create.room_id();
  }

  EventDraft draft(std::string type, std::optional<std::string> state_key, std::string sender,
                   std::string_view content) const {
    EventDraft out;
    out.room_id = room_id_;
    out.sender = UserId(std::move(sender));
    out.type = std::move(type);
    out.state_key = std::move(state_key);
    out.content = canonical(content);
    if (out.type != "m.room.create") out.prev_events = {EventId("$before"), EventId("$beside")};
    out.depth = ++count_;
    if (version_.event_format == EventFormat::event_id_in_event) {
      out.event_id = EventId("$" + std::to_string(count_) + ":" + server_of(out.sender).str());
    }
    out.origin_server_ts = 1000000 + count_;
    return out;
  }
  Event build(EventDraft from) const {
    if (version_.event_format == EventFormat::event_id_in_event) {
      from.prev_event_hashes.resize(from.prev_events.size());
      from.auth_event_hashes.resize(from.auth_events.size());
    }
    auto event = build_event(from, version_, test_key());
    EXPECT_TRUE(event) << event.error().text;
    return event.value();
  }
  /// Puts an event into the state, allowed or not.
  Event set(std::string type, std::string state_key, std::string sender, std::string_view content) {
    const Event event = build(draft(type, state_key, std::move(sender), content));
    state_[{type, state_key}] = event;
    return event;
  }
  void set_member(const std::string& user, std::string_view membership) {
    set("m.room.member", user, user, R"({"membership":")" + std::string(membership) + R"("})");
  }
  Event find(std::string_view type, std::string_view state_key) const {
    const auto it = state_.find({std::string(type), std::string(state_key)});
    return it == state_.end() ? Event() : it->second;
  }
  EventAuthState state() const {
    return EventAuthState([this](std::string_view type, std::string_view key) { return find(type, key); });
  }
  /// "" when it is allowed, otherwise the number of the rule.
  std::string check(const EventDraft& from) const {
    const auto rejection = check_auth_rules(AuthSubject::of(from), version_, state());
    return rejection ? std::string(rejection->rule) : "";
  }
  std::string check(std::string type, std::optional<std::string> state_key, std::string sender,
                    std::string_view content) const {
    return check(draft(std::move(type), std::move(state_key), std::move(sender), content));
  }
  std::string check_member(const std::string& sender, const std::string& target, const std::string& membership,
                           const std::string& more = "") const {
    return check("m.room.member", target, sender, R"({"membership":")" + membership + "\"" + more + "}");
  }
  const RoomId& room_id() const { return room_id_; }
  const RoomVersion& room_version() const { return version_; }

 private:
  const RoomVersion& version_;
  RoomId room_id_;
  std::map<std::pair<std::string, std::string>, Event> state_;
  mutable int count_ = 0;
};

}  // namespace backplane::matrix
