// The outbox as transports see it.
#include <algorithm>

#include "log/outbox.h"
#include "log/tables.h"

namespace backplane::log {

Outbox::Topic* Outbox::find(std::string_view name) const {
  for (const auto& topic : topics_)
    if (topic->name == name) return topic.get();
  return nullptr;
}

std::vector<std::string> Outbox::topics() const {
  std::vector<std::string> names;
  for (const auto& topic : topics_) names.push_back(topic->name);
  return names;
}

LaneSet Outbox::lanes() const { return sharded_ ? LaneSet(lanes_.load()) : LaneSet().set(); }

Positions Outbox::head() const {
  if (!sharded_) return Positions(head_.load());
  Positions all;
  for (const auto& topic : topics_)
    if (topic->lanes != nullptr) all.merge(head(*topic));
  return all;
}

Positions Outbox::head(std::string_view name) const {
  const Topic* topic = find(name);
  return topic == nullptr ? Positions() : head(*topic);
}

Positions Outbox::stored_head(std::string_view name) const {
  const Topic* topic = find(name);
  return topic == nullptr ? Positions() : topic->stored;
}

Positions Outbox::trimmed(std::string_view name) const {
  const Topic* topic = find(name);
  if (topic == nullptr) return {};
  if (topic->lanes == nullptr) return Positions(topic->trimmed.load());
  Positions trimmed;
  each_lane(*topic, [&](std::uint16_t number, const Lane& lane) { trimmed.advance({number, lane.trimmed.load()}); });
  return trimmed;
}

Result<Batch> Outbox::read(std::string_view name, const Positions& after, std::size_t limit) {
  const Topic* topic = find(name);
  if (topic == nullptr) return not_found("no_such_topic", "this outbox has no topic '" + std::string(name) + "'");
  if (topic->lanes != nullptr) return read_lanes(*topic, after, limit);
  const std::uint64_t head = topic->head.load();
  Batch batch{{}, after};
  if (after.base() >= head) return batch;
  {
    const std::lock_guard lock(mutex_);
    if (topic->durability == Durability::volatile_ || topic->ring.reaches_back_to(after)) {
      topic->ring.read(after, limit, clock_.wall_ms(), batch);
      if (batch.records.size() < limit) batch.after.advance_all(topic->head.load());
      return batch;
    }
  }
  return store_->read([&](storage::Session& session) { return tables::read(session, name, after, head, limit); });
}

void Outbox::trim(std::string_view name, const Positions& up_to) {
  Topic* topic = find(name);
  if (topic == nullptr) return;
  const auto raise = [](std::atomic<std::uint64_t>& trim_to, std::uint64_t wanted) {
    if (wanted > trim_to.load()) trim_to = wanted;
  };
  if (topic->lanes == nullptr) return raise(topic->trim_to, up_to.base());
  each_lane(*topic, [&](std::uint16_t number, Lane& lane) { raise(lane.trim_to, up_to.of(number)); });
}

std::vector<KnownGroup> Outbox::groups(std::string_view name) const {
  std::vector<KnownGroup> groups;
  const Topic* topic = find(name);
  const std::lock_guard lock(mutex_);
  if (topic != nullptr)
    for (const GroupState& group : topic->groups) groups.push_back(group.known);
  return groups;
}

void Outbox::note_group(std::string_view name, std::string_view group, const Positions& position) {
  Topic* topic = find(name);
  if (topic == nullptr || topic->durability == Durability::volatile_) return;
  const auto lane = lane_of_group(group);
  if (topic->lanes != nullptr && lane && !owns(*lane)) return;
  const std::int64_t now_ms = clock_.wall_ms();
  const std::lock_guard lock(mutex_);
  auto it = std::find_if(topic->groups.begin(), topic->groups.end(),
                         [&](const GroupState& state) { return state.known.group == group; });
  if (it == topic->groups.end()) it = topic->groups.insert(it, GroupState{{std::string(group), {}, 0}, false, false});
  it->known.position = position;
  it->known.seen_ms = now_ms;
  it->active = it->changed = true;
  std::erase(topic->forgotten, group);
}

void Outbox::forget_group(std::string_view name, std::string_view group) {
  Topic* topic = find(name);
  if (topic == nullptr) return;
  const std::lock_guard lock(mutex_);
  if (std::erase_if(topic->groups, [&](const GroupState& state) { return state.known.group == group; }) != 0)
    topic->forgotten.emplace_back(group);
}

void Outbox::set_listener(std::function<void()> on_committed) {
  const std::lock_guard lock(listener_mutex_);
  listener_ = std::move(on_committed);
}

}  // namespace backplane::log
