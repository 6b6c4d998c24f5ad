// How a record lies in a partition, and what it says of its lane.
//
// The key and the value are the record's, the timestamp is written_ms. Headers, as text, so that any tool shows them:
//   epoch      of the producer's log
//   sequence   the record's number
//   after      nothing of this lane lies between this number and `sequence`
//   expires_ms of volatile records
//   control    "1": no record, only the statement that nothing of this lane lies in (after, sequence]
//   lanes      what else is known: see Announcement
//
// `after` makes a chain: who has followed a lane up to a number can take a record when its `after` is not above that
// number. Otherwise something is missing, be it that it was never there, was deleted, or that one looked in the wrong
// place. So offsets need not be trusted, and the first record of a partition says from where it is complete.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/log/record.h"
#include "client.h"

namespace backplane::log_kafka {

using Sequences = std::array<std::uint64_t, log::lane_count>;
using Offsets = std::array<std::int64_t, log::lane_count>;

/// The smallest as the base.
log::Positions to_positions(const Sequences& sequences);
Sequences to_sequences(const log::Positions& positions);

/// Says of several lanes at once how far they are complete: when the relay has caught up, the last record that it sends
/// carries one, so that a quiet lane costs no record of its own. In each of `lanes`, nothing lies between last[lane]
/// and `head`. Written `<lanes, as hex> <head> <head - last>,<...>`.
struct Announcement {
  log::LaneSet lanes;
  std::uint64_t head = 0;
  Sequences last{};

  std::string encode() const;
  static std::optional<Announcement> decode(std::string_view text);
};

struct Entry {
  std::uint16_t lane = 0;
  std::int64_t offset = 0;
  std::int64_t timestamp_ms = 0;
  std::string epoch;  ///< empty: no entry of ours, of no use
  std::uint64_t sequence = 0;
  std::uint64_t after = 0;
  log::RecordPtr record;  ///< nullptr: a control entry
  std::shared_ptr<const Announcement> announcement;

  std::size_t bytes() const;
};

/// Reads what came from a partition of that topic.
Entry decode(const rd_kafka_message_t& message, const std::string& topic);
/// The headers of an entry to be sent; the caller's to free or hand on.
rd_kafka_headers_t* encode_headers(const Entry& entry);

}  // namespace backplane::log_kafka
