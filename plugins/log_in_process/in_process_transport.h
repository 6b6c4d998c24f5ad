// The log within one process: the producers' outboxes are the log, and consumers are woken in memory. A commit wakes
// only the feeds whose topic has news; a feed that keeps up reads from the outbox's ring and never asks a database.
//
// Records go from an outbox when everybody has passed them: the groups and tails of this process, and groups that the
// producer's store remembers from when they were enabled, up to an age.
//
// add_source and subscribe are called before start() by one thread; feeds belong to a thread each.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/log/transport.h"

namespace backplane::log_in_process {

struct InProcessSettings {
  std::size_t poll_limit = 512;
  Duration disabled_group_retention = std::chrono::hours(7 * 24);
};

class TopicState;

class InProcessTransport final : public log::Transport {
 public:
  InProcessTransport(Clock& clock, Logger logger, InProcessSettings settings);
  ~InProcessTransport() override;

  void add_source(log::Source& source) override;
  Result<std::unique_ptr<log::Feed>> subscribe(std::string_view topic, std::string_view group) override;
  Result<void> start() override;
  void stop() override;

 private:
  std::shared_ptr<TopicState> find(std::string_view topic) const;

  Clock& clock_;
  const Logger logger_;
  const InProcessSettings settings_;
  std::vector<log::Source*> sources_;
  std::vector<std::shared_ptr<TopicState>> topics_;
  bool started_ = false;
};

}  // namespace backplane::log_in_process
