#include "host/config/fault.h"

#include <algorithm>
#include <cstddef>

namespace backplane::host {
namespace {

/// Edits (insert, delete, replace, swap neighbours) that turn one text into the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before_last(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::swap(before_last, last);
    std::swap(last, row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before_last[j - 2] + 1);
    }
  }
  return row[b.size()];
}

void append_indented(std::string& out, std::string_view text) {
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.append("  ").append(text.substr(0, end)).append("\n");
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace

std::string format_fault(const Fault& fault) {
  std::string out = "error: " + fault.what + "\n";
  if (!fault.file.empty())
    append_indented(out, "at " + fault.file + (fault.line > 0 ? ":" + std::to_string(fault.line) : ""));
  append_indented(out, fault.detail);
  if (!fault.fix.empty()) append_indented(out, "fix: " + fault.fix);
  return out;
}

std::string format_faults(std::span<const Fault> faults) {
  std::string out;
  for (const Fault& fault : faults) out.append(out.empty() ? "" : "\n").append(format_fault(fault));
  return out;
}

std::ostream& operator<<(std::ostream& out, const Fault& fault) { return out << format_fault(fault); }

std::string nearest(std::string_view name, std::span<const std::string> candidates) {
  std::size_t best = name.size() <= 3 ? 2 : std::max<std::size_t>(3, name.size() / 3 + 1);  // not near: from here on
  std::string found;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance >= best || distance >= candidate.size()) continue;
    best = distance;
    found = candidate;
  }
  if (!found.empty() || name.size() < 3) return found;
  for (const auto& candidate : candidates)
    if (candidate.starts_with(name)) return candidate;
  return found;
}

std::string suggest(std::string_view name, std::span<const std::string> candidates, std::string_view otherwise) {
  if (const std::string near = nearest(name, candidates); !near.empty()) return "did you mean '" + near + "'?";
  std::string out(otherwise);
  if (candidates.empty() || candidates.size() > 16) return out;
  out += "; known here: ";
  for (std::size_t i = 0; i < candidates.size(); ++i) out.append(i == 0 ? "" : ", ").append(candidates[i]);
  return out;
}

}  // namespace backplane::host
