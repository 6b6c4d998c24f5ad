#include "transports.h"

#include "in_process_transport.h"

namespace backplane::log {
namespace {

class InProcessWorld final : public World {
 public:
  std::unique_ptr<Transport> make_transport(Clock& clock) override {
    return std::make_unique<log_in_process::InProcessTransport>(
        clock, testing::quiet_logger(), log_in_process::InProcessSettings{512, disabled_group_retention});
  }
};

}  // namespace

std::vector<TransportKind> transport_kinds() {
  return {{"in_process", [] { return std::make_unique<InProcessWorld>(); }, true}};
}

}  // namespace backplane::log
