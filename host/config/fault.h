// What the host says when it will not go on: every fault found, at once, each in three parts: what is wrong, where and
// in which detail, and what to do about it. The texts are pinned by tests/golden. Values only; any thread.
#pragma once

#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace backplane::host {

struct Fault {
  std::string what;    ///< one sentence without a full stop: `unknown option 'prot'`
  std::string detail;  ///< what was expected and found; may be empty, may have several lines
  std::string fix;     ///< what to do, in the imperative or as a question
  std::string file;    ///< a path, or `environment variable X`; empty when the fault has no place
  int line = 0;        ///< from 1; 0 when the place has none
  bool operator==(const Fault&) const = default;
};

/// The fault as people see it: `error: …`, then indented `at FILE:LINE`, the detail, and `fix: …`. Ends in a newline.
std::string format_fault(const Fault& fault);
/// Every fault, an empty line between them.
std::string format_faults(std::span<const Fault> faults);
std::ostream& operator<<(std::ostream& out, const Fault& fault);

/// The candidate with the fewest edits to `name` (a swap of neighbours is one), or that begins with it; empty when none
/// is near.
std::string nearest(std::string_view name, std::span<const std::string> candidates);
/// `did you mean 'X'?` for the nearest candidate; else `otherwise` and, when they are few, the candidates.
std::string suggest(std::string_view name, std::span<const std::string> candidates, std::string_view otherwise);

using Faults = std::vector<Fault>;

}  // namespace backplane::host
