// Where in a log something is. Positions are the producer's: a lane (a share of the keys) and a number that only
// grows within it, in the order of commits. Numbers are not dense, and lanes of one writer share one sequence.
#pragma once

#include <algorithm>
#include <bitset>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/base/fields.h"

namespace backplane::log {

/// How many lanes a log has: fixed when it is created. Transports and the routing of calls divide keys in the same way.
inline constexpr std::uint16_t lane_count = 16;
/// Some lanes of a log.
using LaneSet = std::bitset<lane_count>;
/// The lane of all records of a key.
BACKPLANE_API std::uint16_t lane_of(std::string_view key);

struct Position {
  std::uint16_t lane = 0;
  std::uint64_t sequence = 0;  ///< 0: before everything
  auto operator<=>(const Position&) const = default;
};
BACKPLANE_FIELDS(Position, lane, sequence);

/// How far something has followed a topic: everything up to `base` in every lane, and further in some lanes.
class BACKPLANE_API Positions {
 public:
  Positions() = default;
  explicit Positions(std::uint64_t base) : base_(base) {}
  std::uint64_t base() const { return base_; }
  std::uint64_t of(std::uint16_t lane) const {
    const auto it = ahead_.find(lane);
    return it == ahead_.end() ? base_ : it->second;
  }
  bool covers(Position p) const { return p.sequence <= of(p.lane); }
  /// Whether everything that `other` covers is covered.
  bool covers(const Positions& other) const;
  void advance(Position p) {
    if (!covers(p)) ahead_[p.lane] = p.sequence;
  }
  /// Every lane has come this far.
  void advance_all(std::uint64_t sequence);
  /// The larger of both in every lane.
  void merge(const Positions& other);
  /// The furthest number of any lane: whatever has come that far in every lane covers this.
  std::uint64_t highest() const {
    std::uint64_t highest = base_;
    for (const auto& [lane, sequence] : ahead_) highest = std::max(highest, sequence);
    return highest;
  }
  /// `12` or `12.3:15.7:20` (lane 3 is at 15, lane 7 at 20); the form used in tokens and tables.
  std::string encode() const;
  static std::optional<Positions> decode(std::string_view text);
  bool operator==(const Positions&) const = default;

 private:
  std::uint64_t base_ = 0;
  std::map<std::uint16_t, std::uint64_t> ahead_;
};

}  // namespace backplane::log
