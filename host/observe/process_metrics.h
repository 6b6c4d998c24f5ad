// What the system says about this process: memory, files, threads, CPU. Read from /proc when asked. Any thread.
#pragma once

#include <cstdint>
#include <string>

namespace backplane::host {

struct ProcessFigures {
  std::uint64_t resident_bytes = 0;
  std::uint64_t virtual_bytes = 0;
  std::uint64_t open_files = 0;
  std::uint64_t max_files = 0;
  std::uint64_t threads = 0;
  std::uint64_t cpu_ms = 0;         ///< user and system
  std::uint64_t start_seconds = 0;  ///< since the Unix epoch
};

ProcessFigures read_process_figures();
/// In Prometheus' text format, under the names that its client libraries use (`process_resident_memory_bytes`).
std::string process_metrics_text(const ProcessFigures& figures);

}  // namespace backplane::host
