#include "fake_transport.h"

#include <algorithm>
#include <utility>

namespace backplane::testing {
namespace {

class FakeFeed final : public log::Feed {
 public:
  FakeFeed(log::Source& source, std::string topic, Clock& clock)
      : source_(source), topic_(std::move(topic)), clock_(clock) {}
  std::string epoch() const override { return source_.epoch(); }
  log::Positions head() const override { return source_.head(topic_); }
  log::Positions complete_from() const override { return source_.trimmed(topic_); }
  void seek(const log::Positions& after) override { cursor_ = after; }
  void acknowledge(const log::Positions&) override {}

  Result<log::Batch> poll(std::size_t limit, Instant until) override {
    for (;;) {
      auto batch = source_.read(topic_, cursor_, limit);
      if (!batch) return batch;
      cursor_ = batch->after;
      if (!batch->records.empty()) return batch;
      std::unique_lock lock(mutex_);
      if (std::exchange(interrupted_, false) || clock_.now() >= until) return log::Batch{{}, cursor_};
      woken_.wait_for(lock, std::chrono::milliseconds(2));
    }
  }
  void interrupt() override {
    const std::lock_guard lock(mutex_);
    interrupted_ = true;
    woken_.notify_all();
  }

 private:
  log::Source& source_;
  const std::string topic_;
  Clock& clock_;
  log::Positions cursor_;
  std::mutex mutex_;
  std::condition_variable woken_;
  bool interrupted_ = false;
};

}  // namespace

FakeTransport::~FakeTransport() = default;

Result<std::unique_ptr<log::Feed>> FakeTransport::subscribe(std::string_view topic, std::string_view) {
  log::Source* const source = find(topic);
  if (source == nullptr) return not_found("no_such_topic", "nobody publishes topic '" + std::string(topic) + "'");
  return std::unique_ptr<log::Feed>(std::make_unique<FakeFeed>(*source, std::string(topic), clock_));
}

Result<void> FakeTransport::start() { return {}; }
void FakeTransport::stop() {}

log::Source* FakeTransport::find(std::string_view topic) const {
  for (log::Source* source : sources_) {
    const auto topics = source->topics();
    if (std::ranges::find(topics, topic) != topics.end()) return source;
  }
  return nullptr;
}

}  // namespace backplane::testing
