#include "kafka_transport.h"

#include <algorithm>
#include <utility>

#include "fetcher.h"
#include "kafka_feed.h"
#include "relay.h"

namespace backplane::log_kafka {

KafkaTransport::KafkaTransport(KafkaSettings settings, Clock& clock, Metrics& metrics, Logger logger)
    : settings_(std::move(settings)), clock_(clock), metrics_(metrics), logger_(std::move(logger)) {}

KafkaTransport::~KafkaTransport() { stop(); }

void KafkaTransport::add_source(log::Source& source) { sources_.push_back(&source); }

Result<void> KafkaTransport::connect() {
  if (cluster_ != nullptr) return {};
  BACKPLANE_TRY(cluster, Cluster::create(settings_, logger_));
  cluster_ = std::move(cluster);
  return {};
}

TopicStream& KafkaTransport::stream(std::string_view topic) {
  auto& stream = streams_[std::string(topic)];
  if (stream != nullptr) return *stream;
  const std::string name(topic);
  stream = std::make_shared<TopicStream>(TopicName{name, settings_.topic_prefix + name}, settings_.ring_bytes, clock_,
                                         logger_);
  metrics_.computed_gauge("fetch_lag", "Records that the brokers hold and that have not come here yet",
                          {{"topic", name}}, [stream] { return stream->lag(); });
  metrics_.computed_gauge("connected", "Whether news of the topic arrives", {{"topic", name}},
                          [stream]() -> std::int64_t { return stream->connected() ? 1 : 0; });
  return *stream;
}

Result<std::unique_ptr<log::Feed>> KafkaTransport::subscribe(std::string_view topic, std::string_view group) {
  if (!group.empty()) {
    std::pair<std::string, std::string> wanted(topic, group);
    if (std::find(groups_.begin(), groups_.end(), wanted) != groups_.end())
      return conflict("group_in_use", "group '" + wanted.second + "' consumes topic '" + wanted.first + "' twice");
    groups_.push_back(std::move(wanted));
  }
  BACKPLANE_CHECK(connect());
  stream(topic);
  const MetricLabels labels{{"topic", std::string(topic)}, {"group", std::string(group)}};
  const FeedMeasures measures{
      metrics_.counter("gaps_total", "Times that a subscription found records missing", labels),
      metrics_.counter("old_records_total", "Records that a subscription had to read back from the brokers", labels)};
  return std::unique_ptr<log::Feed>(std::make_unique<KafkaFeed>(streams_.find(topic)->second, cluster_,
                                                                std::string(group), clock_, measures, logger_));
}

Result<void> KafkaTransport::start() {
  if (relay_ != nullptr || stopped_) return {};
  BACKPLANE_CHECK(connect());
  BACKPLANE_CHECK(cluster_->wait_for_brokers(settings_.connect_timeout));
  relay_ = std::make_unique<Relay>(settings_, cluster_, clock_, metrics_, logger_);
  for (log::Source* source : sources_) {
    relay_->add(*source);
    for (const std::string& topic : source->topics())
      if (const auto found = streams_.find(topic); found != streams_.end()) found->second->set_source(*source);
  }
  BACKPLANE_CHECK(relay_->start(settings_.connect_timeout));
  Counter& errors = metrics_.counter("fetch_errors_total", "What went wrong on the way from the brokers");
  fetcher_ = std::make_unique<Fetcher>(settings_, cluster_, clock_, errors, logger_);
  for (const auto& [name, stream] : streams_) fetcher_->add(stream);
  return fetcher_->start(settings_.connect_timeout);
}

Result<void> KafkaTransport::carry_all(const std::vector<log::Source*>& sources, Instant until) {
  BACKPLANE_CHECK(connect());
  BACKPLANE_CHECK(cluster_->wait_for_brokers(settings_.connect_timeout));
  Relay relay(settings_, cluster_, clock_, metrics_, logger_);
  for (log::Source* source : sources) relay.add(*source);
  BACKPLANE_CHECK(relay.start(settings_.connect_timeout));
  const auto carried = relay.wait_until_carried(until);
  relay.stop();
  return carried;
}

void KafkaTransport::stop() {
  if (std::exchange(stopped_, true)) return;
  if (cluster_ != nullptr) cluster_->interrupt();
  if (relay_ != nullptr) relay_->stop();
  if (fetcher_ != nullptr) fetcher_->stop();
  for (const auto& [name, stream] : streams_) stream->release_source();
}

}  // namespace backplane::log_kafka
