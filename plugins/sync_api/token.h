// The tokens that clients hand back: opaque to them, valid over restarts and hosts.
//
// A sync token says how far each topic has been told: `s1_<epoch>_<room_events>_<client_data>_<receipts>_
// <send_to_device>_<typing>`. A page token is a place in a room's history: `t1_<topological>_<sequence>_<bound>`.
// Values: any thread.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/result.h"
#include "backplane/log/position.h"

namespace backplane::sync_api {

using Sequence = std::uint64_t;
inline constexpr Sequence no_bound = std::numeric_limits<std::int64_t>::max();

/// How far every topic has been followed.
struct SyncToken {
  std::string epoch;  ///< of the producers' logs
  log::Positions room_events;
  log::Positions client_data;
  log::Positions receipts;
  log::Positions send_to_device;
  log::Positions typing;

  std::string encode() const;
  /// Nothing for what is no sync token of this version.
  static std::optional<SyncToken> decode(std::string_view text);
  /// Whether nothing that `other` tells is new to the holder of this token. Epochs are not compared.
  bool covers(const SyncToken& other) const {
    return room_events.covers(other.room_events) && client_data.covers(other.client_data) &&
           receipts.covers(other.receipts) && send_to_device.covers(other.send_to_device) &&
           typing.covers(other.typing);
  }
};

/// A place between two events of a room in the order of /messages, (topological, sequence): before it are the events
/// that are less or equal.
struct PageToken {
  std::int64_t topological = std::numeric_limits<std::int64_t>::max();
  Sequence sequence = no_bound;
  /// Backwards from a place in /sync: events at this position or above were told by /sync (but for history, which
  /// never is). This is what makes /sync and /messages meet without a gap, though their orders differ.
  Sequence bound = no_bound;

  std::string encode() const;
  static std::optional<PageToken> decode(std::string_view text);
  /// The place just before a position of /sync.
  static PageToken before(Sequence position) { return PageToken{.bound = position}; }
};

/// A place that a client names with either kind of token; `lane` is the room's.
Result<PageToken> parse_page_token(std::string_view text, std::uint16_t lane);

}  // namespace backplane::sync_api
