// The outbox's upkeep: rows that nobody needs any more go, and groups' positions are written down. It rides on commits
// that happen anyway: rows come with a commit of this store, so commits are there to take them away.
#include <algorithm>

#include "log/outbox.h"
#include "log/tables.h"

namespace backplane::log {
namespace {

// A group that is enabled is noted as such every so often, even while it has nothing to do.
constexpr std::int64_t seen_interval_ms = 3600 * 1000;

}  // namespace

bool Outbox::upkeep_is_due() const {
  if (!is_durable()) return false;
  if (clock_.now() >= next_upkeep_) return true;
  const auto is_behind = [this](const auto& of) { return of.trim_to.load() > of.trimmed.load() + settings_.trim_rows; };
  return std::any_of(topics_.begin(), topics_.end(), [&](const auto& topic) {
    if (topic->lanes == nullptr) return is_behind(*topic);
    return std::any_of(topic->lanes->begin(), topic->lanes->end(), is_behind);
  });
}

void Outbox::upkeep(storage::Session& session) {
  next_upkeep_ = clock_.now() + settings_.upkeep_interval;
  for (const auto& topic : topics_) {
    if (topic->durability == Durability::volatile_) continue;
    if (topic->lanes != nullptr) {
      upkeep_lanes(session, *topic);
      write_groups(session, *topic);
      continue;
    }
    const std::uint64_t wanted = std::min(topic->trim_to.load(), topic->head.load());
    if (wanted > topic->trimmed) topic->trimming = tables::trim(session, topic->name, wanted, settings_.trim_rows);
    write_groups(session, *topic);
  }
}

void Outbox::write_groups(storage::Session& session, Topic& topic) {
  const std::int64_t now_ms = clock_.wall_ms();
  std::vector<KnownGroup> changed;
  std::vector<std::string> forgotten;
  {
    const std::lock_guard lock(mutex_);
    for (GroupState& group : topic.groups) {
      const bool seen = group.active && now_ms - group.known.seen_ms >= seen_interval_ms;
      if (!group.changed && !seen) continue;
      if (group.active) group.known.seen_ms = now_ms;
      group.changed = false;
      changed.push_back(group.known);
    }
    forgotten.swap(topic.forgotten);
  }
  for (const std::string& group : forgotten) tables::delete_group(session, topic.name, group);
  for (const KnownGroup& group : changed) tables::upsert_group(session, topic.name, group);
}

void Outbox::flush() {
  if (store_ == nullptr || !is_durable()) return;
  {
    const std::lock_guard lock(mutex_);
    const bool changed = std::any_of(topics_.begin(), topics_.end(), [](const auto& topic) {
      return !topic->forgotten.empty() ||
             std::any_of(topic->groups.begin(), topic->groups.end(), [](const auto& group) { return group.changed; });
    });
    if (!changed) return;
  }
  // The rows are written as part of this piece; when it fails, older positions stay, which is safe.
  (void)store_->write([this](storage::Write& write) {
    for (const auto& topic : topics_)
      if (topic->durability == Durability::durable) write_groups(write, *topic);
  });
}

}  // namespace backplane::log
