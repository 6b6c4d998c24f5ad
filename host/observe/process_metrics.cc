#include "host/observe/process_metrics.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <vector>

#include "host/observe/prometheus_text.h"

namespace backplane::host {
namespace {

std::uint64_t open_files() {
  DIR* const folder = opendir("/proc/self/fd");
  if (folder == nullptr) return 0;
  std::uint64_t count = 0;
  while (const dirent* entry = readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  closedir(folder);
  return count > 0 ? count - 1 : 0;  // the folder itself
}

std::uint64_t boot_seconds() {
  std::ifstream file("/proc/stat");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("btime ")) return std::stoull(line.substr(6));
  }
  return 0;
}

}  // namespace

ProcessFigures read_process_figures() {
  ProcessFigures figures;
  std::ifstream file("/proc/self/stat");
  std::string line;
  std::getline(file, line);
  // The program's name, in parentheses, may hold anything; from the state on (field 3) there are numbers.
  const std::size_t after_name = line.rfind(')');
  if (after_name != std::string::npos) {
    std::istringstream rest(line.substr(after_name + 1));
    std::vector<std::string> fields(3);
    for (std::string field; rest >> field;) fields.push_back(field);
    const auto number = [&fields](std::size_t i) {
      return i < fields.size() ? std::strtoull(fields[i].c_str(), nullptr, 10) : 0;
    };
    const auto ticks = static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    figures.cpu_ms = (number(14) + number(15)) * 1000 / ticks;
    figures.threads = number(20);
    figures.start_seconds = boot_seconds() + number(22) / ticks;
    figures.virtual_bytes = number(23);
    figures.resident_bytes = number(24) * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  }
  figures.open_files = open_files();
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) == 0) figures.max_files = limit.rlim_cur;
  return figures;
}

std::string process_metrics_text(const ProcessFigures& figures) {
  std::string out;
  const auto append = [&out](std::string_view name, std::string_view type, std::string_view help, std::uint64_t value) {
    prometheus::append_family(out, name, help, type);
    prometheus::append_sample(out, name, "", value);
  };
  std::array<char, 32> cpu{};
  std::snprintf(cpu.data(), cpu.size(), "%.3f", static_cast<double>(figures.cpu_ms) / 1000);
  prometheus::append_family(out, "process_cpu_seconds_total", "CPU time, user and system.", "counter");
  prometheus::append_line(out, "process_cpu_seconds_total", "", cpu.data());
  append("process_resident_memory_bytes", "gauge", "Memory in use.", figures.resident_bytes);
  append("process_virtual_memory_bytes", "gauge", "Address space.", figures.virtual_bytes);
  append("process_open_fds", "gauge", "Open files.", figures.open_files);
  append("process_max_fds", "gauge", "Most open files.", figures.max_files);
  append("process_threads", "gauge", "Threads.", figures.threads);
  append("process_start_time_seconds", "gauge", "When it started, since the Unix epoch.", figures.start_seconds);
  return out;
}

}  // namespace backplane::host
