// What the fuzz targets share: a promise that does not hold stops the program.
#pragma once

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "backplane/matrix/room_version.h"

namespace backplane::fuzz {

inline void promise(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", what);
  std::abort();
}

inline const matrix::RoomVersion& room_version(std::uint8_t choice) {
  return *matrix::find_room_version(std::to_string(choice % 12 + 1));
}

}  // namespace backplane::fuzz
