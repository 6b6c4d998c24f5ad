#include "entry.h"

#include <algorithm>
#include <charconv>

namespace backplane::log_kafka {
namespace {

template <class Number>
bool take(std::string_view& text, Number& number, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

template <class Number>
bool read(std::string_view text, Number& number) {
  return take(text, number) && text.empty();
}

bool take(std::string_view& text, char wanted) {
  if (text.empty() || text.front() != wanted) return false;
  text.remove_prefix(1);
  return true;
}

void add(rd_kafka_headers_t* headers, std::string_view name, std::string_view value) {
  rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                      static_cast<ssize_t>(value.size()));
}

template <class Number>
void add_number(rd_kafka_headers_t* headers, std::string_view name, Number number) {
  char digits[24];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  add(headers, name, {digits, static_cast<std::size_t>(end - digits)});
}

struct Headers {
  std::string epoch;
  std::uint64_t sequence = 0, after = 0;
  std::int64_t expires_ms = 0;
  bool control = false;
  std::shared_ptr<const Announcement> announcement;
};

std::optional<Headers> read_headers(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* list = nullptr;
  if (rd_kafka_message_headers(&message, &list) != RD_KAFKA_RESP_ERR_NO_ERROR) return std::nullopt;
  Headers headers;
  int found = 0;
  const char* name = nullptr;
  const void* data = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(list, i, &name, &data, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) {
    const std::string_view value(static_cast<const char*>(data), size), key(name);
    if (key == "epoch") {
      headers.epoch = value;
      found |= 1;
    } else if (key == "sequence") {
      if (read(value, headers.sequence)) found |= 2;
    } else if (key == "after") {
      if (read(value, headers.after)) found |= 4;
    } else if (key == "expires_ms") {
      if (!read(value, headers.expires_ms)) return std::nullopt;
    } else if (key == "control") {
      headers.control = true;
    } else if (key == "lanes") {
      if (auto announcement = Announcement::decode(value))
        headers.announcement = std::make_shared<const Announcement>(*std::move(announcement));
    }
  }
  if (found != 7 || headers.epoch.empty()) return std::nullopt;
  return headers;
}

}  // namespace

log::Positions to_positions(const Sequences& sequences) {
  log::Positions positions(*std::min_element(sequences.begin(), sequences.end()));
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane) positions.advance({lane, sequences[lane]});
  return positions;
}

Sequences to_sequences(const log::Positions& positions) {
  Sequences sequences{};
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane) sequences[lane] = positions.of(lane);
  return sequences;
}

std::string Announcement::encode() const {
  char digits[24];
  const auto number = [&digits](std::uint64_t value, int base = 10) {
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value, base).ptr);
  };
  std::string text = number(lanes.to_ulong(), 16) + ' ' + number(head) + ' ';
  bool first = true;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
    if (!lanes.test(lane)) continue;
    if (!std::exchange(first, false)) text += ',';
    text += number(head - last[lane]);
  }
  return text;
}

std::optional<Announcement> Announcement::decode(std::string_view text) {
  Announcement announcement;
  std::uint32_t lanes = 0;
  if (!take(text, lanes, 16) || lanes >= 1U << log::lane_count || !take(text, ' ') || !take(text, announcement.head) ||
      !take(text, ' '))
    return std::nullopt;
  announcement.lanes = log::LaneSet(lanes);
  bool first = true;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
    if (!announcement.lanes.test(lane)) continue;
    std::uint64_t behind = 0;
    if ((!std::exchange(first, false) && !take(text, ',')) || !take(text, behind) || behind > announcement.head)
      return std::nullopt;
    announcement.last[lane] = announcement.head - behind;
  }
  if (!text.empty()) return std::nullopt;
  return announcement;
}

std::size_t Entry::bytes() const {
  std::size_t bytes = sizeof(Entry) + sizeof(log::Record);
  if (record != nullptr) bytes += record->topic.capacity() + record->key.capacity() + record->payload.capacity();
  if (announcement != nullptr) bytes += sizeof(Announcement);
  return bytes;
}

Entry decode(const rd_kafka_message_t& message, const std::string& topic) {
  Entry entry;
  entry.lane = static_cast<std::uint16_t>(message.partition);
  entry.offset = message.offset;
  entry.timestamp_ms = rd_kafka_message_timestamp(&message, nullptr);
  auto headers = read_headers(message);
  if (!headers) return entry;
  entry.epoch = std::move(headers->epoch);
  entry.sequence = headers->sequence;
  entry.after = headers->after;
  entry.announcement = std::move(headers->announcement);
  if (headers->control) return entry;
  const auto text = [](const void* data, std::size_t size) {
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
  };
  entry.record = std::make_shared<const log::Record>(log::Record{topic,
                                                                 {entry.lane, entry.sequence},
                                                                 text(message.key, message.key_len),
                                                                 text(message.payload, message.len),
                                                                 entry.timestamp_ms,
                                                                 headers->expires_ms});
  return entry;
}

rd_kafka_headers_t* encode_headers(const Entry& entry) {
  rd_kafka_headers_t* headers = rd_kafka_headers_new(6);
  add(headers, "epoch", entry.epoch);
  add_number(headers, "sequence", entry.sequence);
  add_number(headers, "after", entry.after);
  if (entry.record == nullptr) add(headers, "control", "1");
  if (entry.record != nullptr && entry.record->expires_ms != 0)
    add_number(headers, "expires_ms", entry.record->expires_ms);
  if (entry.announcement != nullptr) add(headers, "lanes", entry.announcement->encode());
  return headers;
}

}  // namespace backplane::log_kafka
