#include "fetcher.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace backplane::log_kafka {
namespace {

constexpr Duration idle_wait = std::chrono::seconds(1);
constexpr std::size_t batch = 1000;
// How much of each lane is read at the start: enough to know its head, and for subscriptions that are just behind.
constexpr std::int64_t look_back = 32;
constexpr Duration watch_interval = std::chrono::seconds(2);
/// While there is a topic that no host has made yet.
constexpr Duration hurried_watch_interval = std::chrono::milliseconds(250);
constexpr Duration look_again = std::chrono::milliseconds(5);

}  // namespace

void Fetcher::add(std::shared_ptr<TopicStream> stream) {
  auto& followed = followed_[stream->name().in_kafka];
  followed = std::make_unique<Followed>();
  followed->stream = std::move(stream);
}

Result<void> Fetcher::start(Duration patience) {
  if (followed_.empty()) return {};
  const auto failed = [this](rd_kafka_resp_err_t error, const char* text) {
    errors_.add();
    logger_.warning("trouble with the brokers", {{"error", rd_kafka_err2name(error)}, {"text", text}});
  };
  BACKPLANE_TRY(client, Client::create(settings_, Role::reader, logger_, {{}, failed}));
  client_ = std::move(client);
  queue_ = rd_kafka_queue_new(client_->get());
  rd_kafka_queue_cb_event_enable(
      queue_, [](rd_kafka_t*, void* self) { static_cast<Fetcher*>(self)->wake(); }, this);
  for (const auto& [name, followed] : followed_)
    followed->handle = rd_kafka_topic_new(client_->get(), name.c_str(), nullptr);
  fetch_thread_ = std::thread([this] { fetch(); });
  pthread_setname_np(fetch_thread_.native_handle(), "kafka fetch");

  Clock& real = system_clock();
  const Instant until = real.now() + patience;
  for (const auto& [name, followed] : followed_) {
    const auto begun = begin_topic(*followed);
    if (!begun && begun.error().code != ErrorCode::not_found) return begun.error();
  }
  for (const auto& [name, followed] : followed_) {
    if (!followed->begun) continue;
    BACKPLANE_TRY(ends, cluster_->ends({followed->stream->name()}));
    std::unique_lock lock(mutex_);
    while (!followed->stream->has_reached(ends.front())) {
      if (real.now() >= until) return unavailable("kafka", "cannot read the end of topic " + name + " in time");
      real.wait_until(changed_, lock, real.now() + look_again);
    }
    followed->stream->note_ends(ends.front());
  }
  watch_thread_ = std::thread([this] { watch(); });
  pthread_setname_np(watch_thread_.native_handle(), "kafka watch");
  return {};
}

void Fetcher::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
    woken_.notify_all();
  }
  if (watch_thread_.joinable()) watch_thread_.join();
  if (fetch_thread_.joinable()) fetch_thread_.join();
  if (client_ == nullptr) return;
  for (const auto& [name, followed] : followed_) {
    for (std::uint16_t lane = 0; lane < log::lane_count; ++lane)
      if (followed->running.test(lane)) rd_kafka_consume_stop(followed->handle, lane);
    rd_kafka_topic_destroy(followed->handle);
  }
  rd_kafka_queue_cb_event_enable(queue_, nullptr, nullptr);
  rd_kafka_queue_destroy(std::exchange(queue_, nullptr));
  client_.reset();
}

// The fetching thread: it alone begins and ends the fetching of partitions, so that nothing that was fetched before a
// new beginning comes after it.

void Fetcher::fetch() {
  std::vector<rd_kafka_message_t*> messages(batch);
  while (!stopping_) {
    std::vector<Begin> begins;
    {
      const std::lock_guard lock(mutex_);
      begins.swap(begins_);
    }
    begin_lanes(std::move(begins));
    client_->poll();
    drain(messages);
    if (!wait_for_news()) return;
  }
}

/// librdkafka tells when the queue is no longer empty, so it is emptied each time.
void Fetcher::drain(std::vector<rd_kafka_message_t*>& messages) {
  while (!stopping_) {
    const auto count = rd_kafka_consume_batch_queue(queue_, 0, messages.data(), messages.size());
    if (count <= 0) return;
    take(messages, static_cast<std::size_t>(count));
  }
}

bool Fetcher::wait_for_news() {
  Clock& real = system_clock();
  std::unique_lock lock(mutex_);
  real.wait_until(woken_, lock, real.now() + idle_wait, [this] { return news_ || stopping_.load(); });
  news_ = false;
  return !stopping_;
}

void Fetcher::wake() {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(news_, true)) woken_.notify_all();
}

void Fetcher::begin_lanes(std::vector<Begin> begins) {
  for (const Begin& begin : begins) {
    Followed& followed = *begin.followed;
    if (followed.running.test(begin.lane)) rd_kafka_consume_stop(followed.handle, begin.lane);
    followed.stream->begin_lane(begin.lane, begin.offset);
    const bool running = rd_kafka_consume_start_queue(followed.handle, begin.lane, begin.offset, queue_) == 0;
    followed.running.set(begin.lane, running);
    const std::lock_guard lock(mutex_);
    followed.lost.set(begin.lane, !running);
  }
}

void Fetcher::take(std::vector<rd_kafka_message_t*>& messages, std::size_t count) {
  std::map<Followed*, std::vector<Entry>> entries;
  for (std::size_t i = 0; i < count; ++i) {
    const std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)> message(messages[i],
                                                                                           rd_kafka_message_destroy);
    if (message->rkt == nullptr) continue;
    const auto found = followed_.find(std::string_view(rd_kafka_topic_name(message->rkt)));
    if (found == followed_.end() || message->partition < 0 || message->partition >= log::lane_count) continue;
    Followed& followed = *found->second;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      entries[&followed].push_back(decode(*message, followed.stream->name().topic));
      continue;
    }
    errors_.add();
    logger_.warning(
        "cannot follow a partition",
        {{"topic", found->first}, {"lane", message->partition}, {"error", rd_kafka_message_errstr(message.get())}});
    const std::lock_guard lock(mutex_);
    followed.lost.set(static_cast<std::size_t>(message->partition));
  }
  for (auto& [followed, list] : entries) followed->stream->append(std::move(list));
}

// The watch.

void Fetcher::watch() {
  Instant ask_at = clock_.now() + watch_interval;
  while (true) {
    const bool missing = std::any_of(followed_.begin(), followed_.end(),
                                     [](const auto& entry) { return !entry.second->begun && !entry.second->told; });
    {
      std::unique_lock lock(mutex_);
      const Instant until = std::min(ask_at, clock_.now() + (missing ? hurried_watch_interval : watch_interval));
      if (clock_.wait_until(changed_, lock, until, [this] { return stopping_.load(); })) return;
    }
    begin_missing();
    if (clock_.now() < ask_at) continue;
    begin_lost();
    ask_for_ends();
    ask_at = clock_.now() + watch_interval;
  }
}

Result<void> Fetcher::begin_topic(Followed& followed) {
  const TopicName& name = followed.stream->name();
  BACKPLANE_TRY(partitions, cluster_->find_topic(name));
  if (!partitions) return not_found("kafka_topic", "there is no topic " + name.in_kafka);
  if (*partitions != log::lane_count) return wrong_partitions(name, *partitions);
  BACKPLANE_TRY(ranges, cluster_->ranges(name));
  const std::lock_guard lock(mutex_);
  for (std::uint16_t lane = 0; lane < log::lane_count; ++lane)
    begins_.push_back({&followed, lane, std::max(ranges[lane].begin, ranges[lane].end - look_back)});
  followed.begun = true;
  news_ = true;
  woken_.notify_all();
  return {};
}

void Fetcher::begin_missing() {
  for (const auto& [name, followed] : followed_) {
    if (followed->begun) continue;
    const auto begun = begin_topic(*followed);
    if (begun || begun.error().code == ErrorCode::not_found || begun.error().code == ErrorCode::unavailable) continue;
    if (!std::exchange(followed->told, true))
      logger_.error("cannot follow a topic", {{"topic", name}, {"error", begun.error().text}});
  }
}

void Fetcher::begin_lost() {
  for (const auto& [name, followed] : followed_) {
    log::LaneSet lost;
    {
      const std::lock_guard lock(mutex_);
      lost = followed->lost;
    }
    if (lost.none()) continue;
    const auto ranges = cluster_->ranges(followed->stream->name());
    if (!ranges) continue;
    const Offsets next = followed->stream->next_offsets();
    const std::lock_guard lock(mutex_);
    for (std::uint16_t lane = 0; lane < log::lane_count; ++lane) {
      if (!lost.test(lane)) continue;
      const Range& range = (*ranges)[lane];
      const bool held = next[lane] >= range.begin && next[lane] <= range.end;
      begins_.push_back({followed.get(), lane, held ? next[lane] : std::max(range.begin, range.end - look_back)});
    }
    news_ = true;
    woken_.notify_all();
  }
}

void Fetcher::ask_for_ends() {
  std::vector<TopicName> names;
  std::vector<TopicStream*> streams;
  for (const auto& [name, followed] : followed_) {
    if (!followed->begun) continue;
    names.push_back(followed->stream->name());
    streams.push_back(followed->stream.get());
  }
  auto ends = cluster_->ends(names);
  if (!ends && ends.error().code != ErrorCode::not_found) return;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (ends) {
      streams[i]->note_ends((*ends)[i]);
    } else if (const auto one = cluster_->ends({names[i]})) {  // some topic was deleted: not these
      streams[i]->note_ends(one->front());
    }
  }
}

}  // namespace backplane::log_kafka
