// What the process asks of the system once, at start. Called by main and by programs that open many connections.
#pragma once

#include <cstdint>

namespace backplane::host {

/// Raises the soft limit of open files to the hard one: a parked request is an open file, and the usual soft limit is
/// 1024. Answers the limit that holds then.
std::uint64_t raise_open_files_limit();

}  // namespace backplane::host
