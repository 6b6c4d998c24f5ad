// What travels in a log: a key, JSON text, and the position that the producer gave it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "backplane/log/position.h"

namespace backplane::log {

struct Record {
  std::string topic;
  Position position;
  std::string key;              ///< records of one key stay in order
  std::string payload;          ///< JSON
  std::int64_t written_ms = 0;  ///< wall clock of the producer
  std::int64_t expires_ms = 0;  ///< volatile records: worthless after that; 0 otherwise
};
using RecordPtr = std::shared_ptr<const Record>;

/// Some records of one topic in order of position, and how far one has followed the topic after them. The records may
/// be empty while `after` has moved on.
struct Batch {
  std::vector<RecordPtr> records;
  Positions after;
};

}  // namespace backplane::log
