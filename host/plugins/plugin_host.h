// The process as plugins see it: one a Server, so that several servers may live in one process.
#pragma once

#include <atomic>
#include <string>

#include "backplane/plugin/plugin.h"

namespace backplane::host {

class PluginHost final : public plugin::Host {
 public:
  struct Parts {
    std::string server_name;
    std::string public_base_url;
    std::string data_dir;
    Clock& clock;
    Random& random;
    LogSink& log_sink;
    const std::atomic<LogLevel>& log_level;
    Executor& cpu_executor;
    Executor& worker_executor;
    plugin::Timers& timers;
  };
  explicit PluginHost(Parts parts) : parts_(std::move(parts)) {}

  const std::string& server_name() const override { return parts_.server_name; }
  std::string data_folder(std::string_view plugin) override;
  Clock& clock() override { return parts_.clock; }
  Random& random() override { return parts_.random; }
  Logger logger(std::string_view plugin) override { return {parts_.log_sink, parts_.log_level, std::string(plugin)}; }
  Executor& cpu_executor() override { return parts_.cpu_executor; }
  Executor& worker_executor() override { return parts_.worker_executor; }
  plugin::Timers& timers() override { return parts_.timers; }
  const std::string& public_base_url() const override { return parts_.public_base_url; }
  void* extension(std::string_view) override { return nullptr; }

 private:
  Parts parts_;
};

}  // namespace backplane::host
