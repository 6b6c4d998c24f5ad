// One topic within the process, and the feeds that follow it.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/log/transport.h"
#include "in_process_transport.h"

namespace backplane::log_in_process {

class InProcessFeed;

/// Who follows a topic, and what nobody needs any more. Shared by the transport and the feeds, so that a feed may
/// outlive the transport.
class TopicState {
 public:
  TopicState(log::Source& s, std::string n, Clock& c, Logger l, Duration retention)
      : source(s), name(std::move(n)), clock(c), logger(std::move(l)), retention_(retention) {}

  void add(InProcessFeed& feed);
  void remove(InProcessFeed& feed);
  bool has_group(std::string_view group);
  /// Before any record is delivered: from here on, groups that are known but not here hold records back.
  void load_groups();
  /// After each commit: wakes the feeds when this topic has news.
  void notify();
  /// Tells the source what everybody has passed.
  void trim();

  log::Source& source;
  const std::string name;
  Clock& clock;
  const Logger logger;

 private:
  std::uint64_t held_by_absent_groups();  // mutex_

  const Duration retention_;
  std::mutex mutex_;  ///< never held over a query
  std::vector<InProcessFeed*> feeds_;
  std::vector<log::KnownGroup> absent_;  ///< groups whose plugin is disabled
  std::atomic<std::uint64_t> notified_{0};
};

/// A cursor in a topic.
class InProcessFeed final : public log::Feed {
 public:
  InProcessFeed(std::shared_ptr<TopicState> topic, std::string group, std::size_t poll_limit);
  ~InProcessFeed() override;

  std::string epoch() const override { return topic_->source.epoch(); }
  log::Positions head() const override { return topic_->source.head(topic_->name); }
  log::Positions complete_from() const override { return topic_->source.trimmed(topic_->name); }
  void seek(const log::Positions& after) override;
  Result<log::Batch> poll(std::size_t limit, Instant until) override;
  void acknowledge(const log::Positions& positions) override;
  void interrupt() override;

  const std::string& group() const { return group_; }
  /// What it no longer needs, as a number in every lane. Any thread.
  std::uint64_t passed() const { return passed_.load(std::memory_order_relaxed); }
  /// There is news. On the thread that committed it: costs two loads when the feed's thread is busy anyway.
  void wake();

 private:
  bool has_news() const { return topic_->source.head(topic_->name).base() > cursor_.base(); }
  void pass(std::uint64_t sequence);

  const std::shared_ptr<TopicState> topic_;
  const std::string group_;
  const std::size_t poll_limit_;
  log::Positions cursor_;  ///< the polling thread's
  std::atomic<std::uint64_t> passed_{0};

  std::mutex mutex_;
  std::condition_variable woken_;
  std::atomic<bool> waiting_{false};
  bool interrupted_ = false;  ///< mutex_
};

}  // namespace backplane::log_in_process
