#include "host/observe/log_sink.h"

#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>

#include <utility>

#include "host/observe/log_format.h"

namespace backplane::host {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::trace: return spdlog::level::trace;
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: break;
  }
  return spdlog::level::off;
}

}  // namespace

struct SpdlogSink::Output {
  explicit Output(const LogSinkOptions& options) : logger("backplane", make(options)) {
    logger.set_formatter(std::make_unique<spdlog::pattern_formatter>("%v"));  // the line is complete
    logger.set_level(spdlog::level::trace);                                   // levels are the loggers' affair
    logger.flush_on(spdlog::level::info);
  }
  static std::shared_ptr<spdlog::sinks::sink> make(const LogSinkOptions& options) {
    if (options.file.empty()) return std::make_shared<spdlog::sinks::stderr_sink_mt>();
    return std::make_shared<spdlog::sinks::basic_file_sink_mt>(options.file);
  }
  spdlog::logger logger;
};

SpdlogSink::SpdlogSink(LogSinkOptions options, Clock& clock) : options_(std::move(options)), clock_(clock) {}
SpdlogSink::~SpdlogSink() = default;

Result<std::unique_ptr<SpdlogSink>> SpdlogSink::open(LogSinkOptions options, Clock& clock) {
  std::unique_ptr<SpdlogSink> sink(new SpdlogSink(std::move(options), clock));
  BACKPLANE_CHECK(sink->reopen());
  return sink;
}

Result<void> SpdlogSink::reopen() {
  try {
    auto output = std::make_shared<Output>(options_);
    const std::lock_guard lock(mutex_);
    output_ = std::move(output);
    return {};
  } catch (const std::exception& e) {
    return unavailable("cannot_log",
                       "Cannot write the log to " + options_.file + ": " + e.what() +
                           ". Set `log.file` to a file that the server may write, or leave it out for standard error");
  }
}

std::shared_ptr<SpdlogSink::Output> SpdlogSink::output() const {
  const std::lock_guard lock(mutex_);
  return output_;
}

void SpdlogSink::write(LogLevel level, std::string_view component, std::string_view event, const LogField* fields,
                       std::size_t count) {
  const LogLine line{clock_.wall_ms(), level, component, event, fields, count};
  const std::string text = options_.json ? format_json(line) : format_text(line);
  output()->logger.log(to_spdlog(level), spdlog::string_view_t(text.data(), text.size()));
}

void SpdlogSink::flush() { output()->logger.flush(); }

LogLevels::Entry& LogLevels::entry(std::string_view component) {
  auto it = entries_.find(component);
  if (it == entries_.end()) {
    it = entries_.emplace(component, std::make_unique<Entry>()).first;
    it->second->level = default_;
  }
  return *it->second;
}

const std::atomic<LogLevel>& LogLevels::level_of(std::string_view component) {
  const std::lock_guard lock(mutex_);
  return entry(component).level;
}

void LogLevels::set_default(LogLevel level) {
  const std::lock_guard lock(mutex_);
  default_ = level;
  for (auto& [component, of] : entries_) {
    if (!of->own) of->level = level;
  }
}

void LogLevels::set(std::string_view component, LogLevel level) {
  const std::lock_guard lock(mutex_);
  Entry& of = entry(component);
  of.own = true;
  of.level = level;
}

}  // namespace backplane::host
