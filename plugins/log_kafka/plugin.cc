// Lifecycle of the log transport over Kafka. The work is in kafka_transport.cc.
#include <memory>

#include "backplane/plugin/entry.h"
#include "kafka_transport.h"
#include "settings.h"

namespace backplane::log_kafka {

class LogKafka final : public plugin::Plugin {
 public:
  explicit LogKafka(plugin::Host& host) : host_(host) {}

  std::vector<std::string> configure(const plugin::Options& options) override {
    std::vector<std::string> faults;
    settings_ = read_settings(options, faults);
    return faults;
  }

  Result<void> wire(plugin::Wiring& wiring) override {
    transport_ =
        std::make_unique<KafkaTransport>(settings_, host_.clock(), wiring.metrics(), host_.logger("log_kafka"));
    wiring.offer<log::Transport>(*transport_);
    return {};
  }

  void stop() override { transport_->stop(); }

 private:
  plugin::Host& host_;
  KafkaSettings settings_;
  std::unique_ptr<KafkaTransport> transport_;
};

}  // namespace backplane::log_kafka

BACKPLANE_PLUGIN(backplane::log_kafka::LogKafka);
