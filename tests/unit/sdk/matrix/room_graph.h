// A room as a graph of events, for tests of state resolution: every event has the state before and after it, and is
// judged by the authorization rules as a server would. Events are not hashed or signed, their ids are made up; but for
// a graph that goes on from events of a server: there they are real (room versions 3 and later).
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "backplane/matrix/signing.h"
#include "backplane/matrix/state_resolution.h"

namespace backplane::matrix {

class RoomGraph : public EventSource {
 public:
  /// What follows from `seed`: the ids of events, whose order decides between equals.
  RoomGraph(const RoomVersion& version, std::uint64_t seed, std::string creator = "@creator:a");
  /// Goes on from a room's first events, in a line, in the name of servers that share a key.
  RoomGraph(const RoomVersion& version, const std::vector<Event>& line, const SigningKey& key);

  struct Draft {
    std::string sender, type;
    std::optional<std::string> state_key = std::nullopt;
    std::string content = "{}";
    std::vector<EventId> prev_events = {};
    std::int64_t origin_server_ts = 0;                               ///< 0: a second after the one before
    std::optional<std::vector<EventId>> auth_events = std::nullopt;  ///< nothing: as the specification selects them
  };
  /// Adds an event, allowed or not.
  EventId add(const Draft& draft);
  /// Adds an event that somebody else made.
  void add(const Event& event);
  /// Whether the state before it allows an event.
  bool allows(const Draft& draft);

  const EventId& create_event() const { return create_event_; }
  /// All in the order in which they were added.
  const std::vector<EventId>& events() const { return order_; }
  bool is_rejected(const EventId& event_id) const { return nodes_.at(event_id).rejected; }
  const StateMap& state_after(const EventId& event_id) const { return nodes_.at(event_id).state_after; }
  std::vector<StateMap> states_after(const std::vector<EventId>& event_ids) const;
  /// The resolution of the states after the events.
  StateMap resolve(const std::vector<EventId>& event_ids);
  /// The event's id in the resolution; nothing when the key is not in it.
  std::optional<EventId> resolved(const std::vector<EventId>& event_ids, const std::string& type,
                                  const std::string& state_key = "");
  const RoomVersion& version() const { return version_; }

  Found find(const EventId& event_id) override;
  std::size_t finds = 0;  ///< how often an event was asked for

 private:
  struct Node {
    Event event;
    bool rejected = false;
    StateMap state_after;
  };
  Event make(const Draft& draft, const StateMap& state, const EventId& event_id) const;
  bool judge(const Event& event, const StateMap& state) const;
  EventId next_id(const std::string& sender) const;

  const RoomVersion& version_;
  const std::uint64_t seed_;
  RoomId room_id_;
  EventId create_event_;
  std::map<EventId, Node> nodes_;
  std::vector<EventId> order_;
  const SigningKey* key_ = nullptr;
  std::int64_t clock_ = 1'000'000;
};

}  // namespace backplane::matrix
