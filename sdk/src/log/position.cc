#include "backplane/log/position.h"

#include <charconv>

#include "backplane/base/encoding.h"

namespace backplane::log {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  out.append(digits, end);
}

/// Takes a number from the front: digits only, without leading zeros, so that a position has one text form.
template <class Number>
bool take_number(std::string_view& text, Number& number) {
  if (text.size() > 1 && text[0] == '0' && text[1] >= '0' && text[1] <= '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::uint16_t lane_of(std::string_view key) { return static_cast<std::uint16_t>(stable_hash(key) % lane_count); }

bool Positions::covers(const Positions& other) const {
  const auto ahead_of = [this](const auto& entry) { return entry.second <= of(entry.first); };
  if (!std::all_of(other.ahead_.begin(), other.ahead_.end(), ahead_of)) return false;
  if (other.base_ <= base_) return true;
  // A base above ours is covered when every lane is ahead of it.
  for (std::uint16_t lane = 0; lane < lane_count; ++lane) {
    if (of(lane) < other.base_) return false;
  }
  return true;
}

void Positions::advance_all(std::uint64_t sequence) {
  if (sequence <= base_) return;
  base_ = sequence;
  std::erase_if(ahead_, [sequence](const auto& entry) { return entry.second <= sequence; });
}

void Positions::merge(const Positions& other) {
  advance_all(other.base_);
  for (const auto& [lane, sequence] : other.ahead_) advance({lane, sequence});
}

std::string Positions::encode() const {
  std::string out;
  append_number(out, base_);
  for (const auto& [lane, sequence] : ahead_) {
    out += '.';
    append_number(out, lane);
    out += ':';
    append_number(out, sequence);
  }
  return out;
}

std::optional<Positions> Positions::decode(std::string_view text) {
  Positions positions;
  if (!take_number(text, positions.base_)) return std::nullopt;
  int previous = -1;
  while (!text.empty()) {
    Position p;
    if (!take(text, '.') || !take_number(text, p.lane) || !take(text, ':') || !take_number(text, p.sequence))
      return std::nullopt;
    if (p.lane <= previous) return std::nullopt;  // in order and once: one text for one value
    previous = p.lane;
    positions.advance(p);
  }
  return positions;
}

}  // namespace backplane::log
