// A tail subscription: a thread that hands every record to the handler, and an account of how far it has come.
#pragma once

#include <functional>
#include <string>

#include "backplane/base/metrics.h"
#include "backplane/log/log.h"
#include "backplane/log/runtime.h"
#include "log/runner.h"

namespace backplane::log {

class TailRunner final : public Tail, public Runner {
 public:
  TailRunner(TailOptions options, TailHandler handler, Clock& clock, Metrics& metrics, Logger logger);
  ~TailRunner() override { stop(); }

  /// Before start(): the topic is published on other hosts.
  void set_head_asker(HeadAsker asker) { asker_ = std::move(asker); }

  Positions followed() const override { return progress_.get(); }
  Positions head() const override { return feed_ == nullptr ? Positions() : feed_->head(); }
  Result<Positions> ask_head(Instant until) override { return asker_ ? asker_(topic_, until) : head(); }
  bool wait_for(const Positions& positions, Instant deadline) override {
    return progress_.wait_for(positions, deadline);
  }
  bool connected() const override { return feed_ != nullptr && feed_->connected(); }
  /// Empty: not known yet. What nobody publishes has one of its own.
  std::string epoch() const override { return feed_ == nullptr ? "none" : feed_->epoch(); }

 private:
  void prepare() override;
  void run() override;
  void handle(const Batch& batch);
  void begin_again();

  const std::function<Positions()> from_;
  const TailHandler handler_;
  HeadAsker asker_;
  Counter& tailed_;
  Counter& failures_;
};

}  // namespace backplane::log
