#include "relay.h"

#include <pthread.h>

#include <algorithm>
#include <utility>

namespace backplane::log_kafka {
namespace {

constexpr Duration tick = std::chrono::seconds(1);
constexpr Duration pause_before_producer = std::chrono::seconds(1);
constexpr int flush_ms = 1000;

}  // namespace

Relay::Relay(const KafkaSettings& settings, std::shared_ptr<Cluster> cluster, Clock& clock, Metrics& metrics,
             Logger logger)
    : settings_(settings),
      cluster_(std::move(cluster)),
      clock_(clock),
      metrics_(metrics),
      logger_(std::move(logger)),
      errors_(metrics.counter("relay_errors_total", "What went wrong on the way to the brokers")),
      producers_(metrics.counter("producers_total", "Producers begun; more than one a process: the one before failed")),
      note_interval_(std::min<Duration>(tick, settings.keep_relayed / 32)) {}

Relay::~Relay() {
  stop();
  release_producer();
}

void Relay::add(log::Source& source) {
  sources_.push_back(&source);
  for (std::string& topic : source.topics()) {
    Counter& relayed = metrics_.counter("relayed_total", "Records sent to the brokers", {{"topic", topic}});
    TopicName name{topic, settings_.topic_prefix + topic};
    topics_.push_back(std::make_unique<RelayedTopic>(source, std::move(name), settings_, clock_, relayed, logger_));
    metrics_.computed_gauge("relay_lag", "How far what the brokers have acknowledged is behind the producer's head",
                            {{"topic", topic}}, [relay = topics_.back().get()] { return relay->lag(); });
  }
}

Result<void> Relay::start(Duration patience) {
  if (topics_.empty()) return {};
  std::vector<MissingTopic> missing;
  for (const auto& topic : topics_) {
    BACKPLANE_TRY(wanted, topic->check(*cluster_));
    if (wanted) missing.push_back(*std::move(wanted));
  }
  BACKPLANE_CHECK(cluster_->create_topics(missing));
  replace_producer();
  if (producer_ == nullptr) return internal_error("cannot make a producer of librdkafka");
  for (log::Source* source : sources_) source->set_listener([this] { wake(); });
  thread_ = std::thread([this] { run(); });
  pthread_setname_np(thread_.native_handle(), "kafka relay");
  // In real time: it is the brokers that are waited for.
  std::unique_lock lock(mutex_);
  Clock& real = system_clock();
  if (real.wait_until(changed_, lock, real.now() + patience,
                      [this] { return begun_ || (fault_ && fault_->code != ErrorCode::unavailable); }))
    return begun_ ? Result<void>() : *fault_;
  return fault_ ? *fault_ : unavailable("kafka", "the brokers do not take records");
}

Result<void> Relay::wait_until_carried(Instant until) {
  if (topics_.empty()) return {};
  std::unique_lock lock(mutex_);
  awaited_ = news_ = true;
  changed_.notify_all();
  if (clock_.wait_until(changed_, lock, until, [this] { return carried_; })) return {};
  return timed_out(fault_ ? fault_->text : "the brokers do not take records fast enough");
}

void Relay::stop() {
  if (!thread_.joinable()) return;
  for (log::Source* source : sources_) source->set_listener(nullptr);
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Relay::wake() {
  const std::lock_guard lock(mutex_);
  if (std::exchange(news_, true)) return;
  changed_.notify_all();
}

bool Relay::wait() {
  std::unique_lock lock(mutex_);
  clock_.wait_until(changed_, lock, std::min(note_at_, clock_.now() + tick), [this] { return news_ || stopping_; });
  news_ = false;
  return !stopping_;
}

void Relay::run() {
  while (true) {
    serve();
    if (!wait()) break;
  }
  serve();
  if (producer_ != nullptr && !broken_) rd_kafka_flush(producer_->get(), flush_ms);
  for (const auto& topic : topics_) topic->note();
  release_producer();
}

void Relay::serve() {
  if (producer_ != nullptr) producer_->poll();
  if (broken_ || producer_ == nullptr) replace_producer();
  if (broken_ || producer_ == nullptr) return;
  bool all_begun = true;
  for (const auto& topic : topics_) {
    const auto begun = topic->begin_lanes(*cluster_, *this);
    report(*topic, begun);
    if (topic->begun()) {
      told_.erase(topic.get());
    } else {
      all_begun = false;
    }
  }
  if (all_begun) {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(begun_, true)) changed_.notify_all();
  }
  for (bool more = true; more && !broken_;) {
    more = false;
    for (const auto& topic : topics_) {
      const auto sent = topic->send_news(*this);
      if (sent) {
        more = more || *sent;
      } else {
        report(*topic, sent.error());
      }
    }
    producer_->poll();
    const std::lock_guard lock(mutex_);
    if (stopping_) break;
  }
  tell_whether_carried();
  if (clock_.now() < note_at_) return;
  note_at_ = clock_.now() + note_interval_;
  for (const auto& topic : topics_) {
    topic->note();
    topic->keep_alive(*this);
  }
}

void Relay::tell_whether_carried() {
  const std::lock_guard lock(mutex_);
  if (!awaited_) return;
  carried_ = std::all_of(topics_.begin(), topics_.end(), [](const auto& topic) { return topic->carried(); });
  if (carried_) changed_.notify_all();
}

void Relay::report(RelayedTopic& topic, const Result<void>& result) {
  if (result) return;
  errors_.add();
  if (std::string& told = told_[&topic]; told != result.error().text) {
    told = result.error().text;
    logger_.error("cannot relay a topic, trying again", {{"topic", topic.name().topic}, {"error", told}});
  }
  const std::lock_guard lock(mutex_);
  if (begun_) return;
  fault_ = result.error();
  changed_.notify_all();
}

void Relay::replace_producer() {
  if (clock_.now() < replace_at_) return;
  replace_at_ = clock_.now() + pause_before_producer;
  release_producer();
  const auto failed = [this](rd_kafka_resp_err_t error, const char* text) {
    errors_.add();
    if (error == RD_KAFKA_RESP_ERR__FATAL) broken_ = true;
    logger_.warning("trouble with the brokers", {{"error", rd_kafka_err2name(error)}, {"text", text}});
  };
  auto created = Client::create(settings_, Role::producer, logger_,
                                {[this](const rd_kafka_message_t& message) { delivered(message); }, failed});
  if (!created) {
    logger_.error("cannot make a producer", {{"error", created.error().text}});
    return;
  }
  producer_ = std::move(*created);
  producers_.add();
  broken_ = false;
  events_ = rd_kafka_queue_get_main(producer_->get());
  rd_kafka_queue_cb_event_enable(
      events_, [](rd_kafka_t*, void* self) { static_cast<Relay*>(self)->wake(); }, this);
  for (const auto& topic : topics_) {
    rd_kafka_topic_conf_t* config = rd_kafka_default_topic_conf_dup(producer_->get());
    rd_kafka_topic_conf_set_opaque(config, topic.get());
    handles_.push_back(rd_kafka_topic_new(producer_->get(), topic->name().in_kafka.c_str(), config));
    topic->attach(handles_.back());
  }
}

void Relay::release_producer() {
  if (producer_ == nullptr) return;
  rd_kafka_queue_cb_event_enable(events_, nullptr, nullptr);
  rd_kafka_queue_destroy(std::exchange(events_, nullptr));
  for (rd_kafka_topic_t* handle : handles_) rd_kafka_topic_destroy(handle);
  handles_.clear();
  producer_.reset();
  in_flight_records_ = in_flight_bytes_ = 0;
}

std::size_t Relay::room() const {
  if (broken_ || in_flight_bytes_ >= settings_.in_flight_bytes || in_flight_records_ >= settings_.in_flight_records)
    return 0;
  return settings_.in_flight_records - in_flight_records_;
}

Sender::Sent Relay::send(rd_kafka_topic_t* topic, const Entry& entry, std::uint64_t& id) {
  const bool control = entry.record == nullptr;
  const std::string_view key = control ? std::string_view() : entry.record->key;
  const std::string_view payload = control ? std::string_view() : entry.record->payload;
  rd_kafka_headers_t* headers = encode_headers(entry);
  id = last_id_ + 1;
  const auto error = rd_kafka_producev(
      producer_->get(), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(entry.lane), RD_KAFKA_V_KEY(key.data(), key.size()),
      RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),  // NOLINT: it is copied
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(entry.timestamp_ms), RD_KAFKA_V_HEADERS(headers),
      RD_KAFKA_V_OPAQUE(reinterpret_cast<void*>(id)),  // NOLINT: a number
      RD_KAFKA_V_END);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
    ++last_id_;
    ++in_flight_records_;
    in_flight_bytes_ += payload.size();
    return Sent::yes;
  }
  rd_kafka_headers_destroy(headers);
  if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return Sent::full;
  if (error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) return Sent::refused;
  logger_.warning("librdkafka does not take a record, beginning again", {{"error", rd_kafka_err2str(error)}});
  broken_ = true;
  return Sent::full;
}

void Relay::delivered(const rd_kafka_message_t& message) {
  --in_flight_records_;
  in_flight_bytes_ -= message.len;
  if (broken_) return;
  auto* topic = static_cast<RelayedTopic*>(rd_kafka_topic_opaque(message.rkt));
  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    errors_.add();
    broken_ = true;
    logger_.error("the brokers do not take a record, beginning again",
                  {{"topic", topic->name().topic}, {"error", rd_kafka_err2str(message.err)}});
    const std::lock_guard lock(mutex_);
    if (!begun_)
      fault_ = unavailable("kafka", "the brokers do not take records of topic " + topic->name().in_kafka + ": " +
                                        rd_kafka_err2str(message.err));
    return;
  }
  topic->acknowledged(static_cast<std::uint16_t>(message.partition), reinterpret_cast<std::uint64_t>(message._private));
}

}  // namespace backplane::log_kafka
