// Carries records from the outboxes of plugins under test to their consumers, in this process. Forgets nothing.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/log/transport.h"

namespace backplane::testing {

class FakeTransport final : public log::Transport {
 public:
  explicit FakeTransport(Clock& clock) : clock_(clock) {}
  ~FakeTransport() override;
  void add_source(log::Source& source) override { sources_.push_back(&source); }
  Result<std::unique_ptr<log::Feed>> subscribe(std::string_view topic, std::string_view group) override;
  Result<void> start() override;
  void stop() override;

  log::Source* find(std::string_view topic) const;
  void clear() { sources_.clear(); }

 private:
  Clock& clock_;
  std::vector<log::Source*> sources_;
};

}  // namespace backplane::testing
