// Lifecycle of the in-process log transport. The work is in in_process_transport.cc.
#include <memory>

#include "backplane/plugin/entry.h"
#include "in_process_transport.h"

namespace backplane::log_in_process {

class LogInProcess final : public plugin::Plugin {
 public:
  explicit LogInProcess(plugin::Host& host) : host_(host) {}

  std::vector<std::string> configure(const plugin::Options& options) override {
    settings_.poll_limit = static_cast<std::size_t>(options.integer("poll_limit"));
    settings_.disabled_group_retention = options.duration("disabled_group_retention");
    return {};
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    transport_ = std::make_unique<InProcessTransport>(host_.clock(), host_.logger("log_in_process"), settings_);
    wiring.offer<log::Transport>(*transport_);
    return {};
  }

  void stop() override { transport_->stop(); }

 private:
  plugin::Host& host_;
  InProcessSettings settings_;
  std::unique_ptr<InProcessTransport> transport_;
};

}  // namespace backplane::log_in_process

BACKPLANE_PLUGIN(backplane::log_in_process::LogInProcess);
