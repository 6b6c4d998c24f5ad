#include "backplane/base/json.h"
#include "matrix/auth_rules_detail.h"

namespace backplane::matrix::auth {
namespace {

/// visit(key, old level or nothing, new level or nothing) for every entry that differs; until visit answers a
/// rejection. Both lists are sorted.
template <class Visit>
Verdict each_change(const PowerLevels::Entries& before, const PowerLevels::Entries& after, Visit visit) {
  auto old_entry = before.begin();
  auto new_entry = after.begin();
  while (old_entry != before.end() || new_entry != after.end()) {
    Verdict verdict;
    if (new_entry == after.end() || (old_entry != before.end() && old_entry->first < new_entry->first)) {
      verdict = visit(old_entry->first, std::optional(old_entry->second), std::optional<std::int64_t>());
      ++old_entry;
    } else if (old_entry == before.end() || new_entry->first < old_entry->first) {
      verdict = visit(new_entry->first, std::optional<std::int64_t>(), std::optional(new_entry->second));
      ++new_entry;
    } else {
      if (old_entry->second != new_entry->second) {
        verdict = visit(new_entry->first, std::optional(old_entry->second), std::optional(new_entry->second));
      }
      ++old_entry;
      ++new_entry;
    }
    if (verdict) return verdict;
  }
  return allow;
}

/// 9.5
Verdict check_properties(const Rules& rules, const PowerLevels& before, const PowerLevels& after, std::int64_t sender) {
  for (const auto property : PowerLevels::properties) {
    const auto old_level = before.named(property);
    const auto new_level = after.named(property);
    if (old_level == new_level) continue;
    if (old_level && *old_level > sender) {
      return rules.reject(Rule::old_level_is_above_sender);
    }
    if (new_level && *new_level > sender) {
      return rules.reject(Rule::new_level_is_above_sender);
    }
  }
  return allow;
}

/// 9.6 and 9.7
Verdict check_entries(const Rules& rules, const PowerLevels::Entries& before, const PowerLevels::Entries& after,
                      std::int64_t sender) {
  return each_change(before, after, [&](const std::string&, auto old_level, auto new_level) -> Verdict {
    if (old_level && *old_level > sender) {
      return rules.reject(Rule::old_entry_is_above_sender);
    }
    if (new_level && *new_level > sender) {
      return rules.reject(Rule::new_entry_is_above_sender);
    }
    return allow;
  });
}

/// 9.8 and 9.9
Verdict check_users(const Rules& rules, const PowerLevels& before, const PowerLevels& after, std::int64_t sender) {
  const auto check = [&](const std::string& user, auto old_level, auto new_level) -> Verdict {
    if (old_level && *old_level >= sender && user != rules.event.sender->view()) {
      return rules.reject(Rule::old_user_is_not_below_sender);
    }
    if (new_level && *new_level > sender) {
      return rules.reject(Rule::new_user_is_above_sender);
    }
    return allow;
  };
  return each_change(before.users(), after.users(), check);
}

/// 9.1, 9.2 and 9.3, when the levels did not parse: which of them it was.
/// NOTSPEC: until room version 9 the rules name `users` alone, and say nothing of what else is no level in any form. No
/// level could be read from such an event, so it is rejected likewise, as other servers do.
Verdict reject_malformed(const Rules& rules) {
  const auto document = json::Document::parse_object(rules.event.content);
  if (document) {
    const json::View content = document->root();
    for (const auto property : PowerLevels::properties) {
      const auto value = content.find(to_string(property));
      if (value && !power_level_of(*value, rules.version)) return rules.reject(Rule::level_is_malformed);
    }
    for (const std::string_view name : {"events", "notifications"}) {
      const auto object = content.find(name);
      if (!object) continue;
      bool integers = object->is_object();
      for (const auto& [key, value] : object->members())
        integers = integers && power_level_of(value, rules.version).has_value();
      if (!integers) {
        return rules.reject(Rule::level_entries_are_malformed);
      }
    }
  }
  return rules.reject(Rule::level_users_are_malformed);
}

}  // namespace

Verdict check_power_levels(const Rules& rules) {
  const RoomCreation& creation = *rules.state.creation();
  // 9.1, 9.2, 9.3
  const auto parsed = PowerLevels::parse(rules.event.content, creation);
  if (!parsed) return reject_malformed(rules);
  const PowerLevels& after = parsed.value();
  // Room version 12, 10.4
  if (rules.version.privileged_creators) {
    for (const auto& [user, level] : after.users()) {
      if (creation.is_creator(user)) return rules.reject(Rule::level_users_name_creator);
    }
  }
  // 9.4
  const PowerLevels& before = rules.state.power_levels();
  if (!before.has_event()) return allow;
  const std::int64_t sender = rules.sender_level();
  if (auto verdict = check_properties(rules, before, after, sender)) return verdict;
  if (auto verdict = check_entries(rules, before.events(), after.events(), sender)) return verdict;
  if (rules.version.auth_of_notification_levels) {
    if (auto verdict = check_entries(rules, before.notifications(), after.notifications(), sender)) return verdict;
  }
  return check_users(rules, before, after, sender);
}

}  // namespace backplane::matrix::auth
