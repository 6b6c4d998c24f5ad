// What is wrong with a configuration, a plugin or their wiring, told in three parts so that the reader knows what to
// do. Faults are collected and printed together.
#pragma once

#include <string>
#include <vector>

namespace backplane::host {

struct Fault {
  std::string what;    ///< in one line: `plugin sync_api needs backplane.room_server/1, which nothing provides`
  std::string detail;  ///< what was found, and where; may be empty
  std::string fix;     ///< what to do
  std::string file;    ///< where it stands; may be empty
  int line = 0;        ///< 0: the whole file
};
using Faults = std::vector<Fault>;

}  // namespace backplane::host
