#include "cluster.h"

#include <algorithm>
#include <utility>

namespace backplane::log_kafka {
namespace {

constexpr const char* no_leader = "kafka_leader";
constexpr int request_ms = 2000;
// For making a topic: the brokers have to agree, and some are slow.
constexpr int create_ms = 30'000;
// Between two looks at what the brokers have not finished yet.
constexpr std::chrono::milliseconds look_again{20};

template <class T, auto destroy>
struct Destroyer {
  void operator()(T* object) const { destroy(object); }
};
template <class T, auto destroy>
using Owned = std::unique_ptr<T, Destroyer<T, destroy>>;
using PartitionList = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Topic = Owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;
using NewTopic = Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy>;
using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using AdminOptions = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;

Error from(rd_kafka_resp_err_t error, const std::string& doing) {
  if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
      error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION)
    return not_found("kafka_topic", doing + ": " + rd_kafka_err2str(error));
  const bool leader_changes =
      error == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION || error == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
  return unavailable(leader_changes ? no_leader : "kafka", doing + ": " + rd_kafka_err2str(error));
}

bool leaders_are_chosen(const Error& error) { return error.reason == no_leader; }

std::string text_of(Duration time) { return std::to_string(time / std::chrono::milliseconds(1)); }

}  // namespace

Error wrong_partitions(const TopicName& name, int partitions) {
  return conflict("kafka_partitions", "topic " + name.in_kafka + " has " + std::to_string(partitions) +
                                          " partitions, and a log has " + std::to_string(log::lane_count) +
                                          " lanes: delete the topic, so that it is made anew, or set another "
                                          "topic_prefix of log_kafka");
}

Result<std::shared_ptr<Cluster>> Cluster::create(const KafkaSettings& settings, Logger logger) {
  std::shared_ptr<Cluster> cluster(new Cluster(settings, std::move(logger)));
  auto client = Client::create(settings, Role::asker, cluster->logger_, {});
  if (!client) return std::move(client).error();
  cluster->client_ = std::move(*client);
  return cluster;
}

void Cluster::interrupt() {
  const std::lock_guard lock(pause_mutex_);
  interrupted_ = true;
  interrupt_.notify_all();
}

bool Cluster::pause() {
  std::unique_lock lock(pause_mutex_);
  return !clock_.wait_until(interrupt_, lock, clock_.now() + look_again, [this] { return interrupted_.load(); });
}

Result<void> Cluster::wait_for_brokers(Duration time) {
  const std::lock_guard lock(mutex_);
  const Instant until = clock_.now() + time;
  const int patience_ms =
      static_cast<int>(std::clamp<std::int64_t>(time / std::chrono::milliseconds(1), 1, request_ms));
  while (true) {
    const rd_kafka_metadata_t* metadata = nullptr;
    const auto error = rd_kafka_metadata(client_->get(), 0, nullptr, &metadata, patience_ms);
    client_->poll();
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      rd_kafka_metadata_destroy(metadata);
      return {};
    }
    if (clock_.now() >= until || !pause())
      return unavailable("kafka_brokers", "no broker of '" + settings_.brokers + "' answered within " + text_of(time) +
                                              " ms (" + rd_kafka_err2str(error) +
                                              "): check that Kafka runs, and the option brokers of log_kafka");
  }
}

/// Asks until it is answered, what stands in the way does not pass by itself, or the time has come. Nothing is locked
/// in the pauses.
template <class Ask, class Passes>
auto Cluster::insist(Instant until, Ask&& ask, Passes&& passes) {
  while (true) {
    auto answer = ask();
    if (answer || !passes(answer.error()) || clock_.now() >= until || !pause()) return answer;
  }
}

Instant Cluster::patience() const { return clock_.now() + std::chrono::milliseconds(create_ms); }

Result<std::optional<int>> Cluster::find_topic(const TopicName& name) {
  return insist(
      patience(), [&] { return find_topic_once(name); }, leaders_are_chosen);
}

Result<std::optional<int>> Cluster::find_topic_once(const TopicName& name) {
  const std::lock_guard lock(mutex_);
  const Topic topic(rd_kafka_topic_new(client_->get(), name.in_kafka.c_str(), nullptr));
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error = rd_kafka_metadata(client_->get(), 0, topic.get(), &metadata, request_ms);
  client_->poll();
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return from(error, "cannot look for topic " + name.in_kafka);
  const Owned<const rd_kafka_metadata_t, rd_kafka_metadata_destroy> owned(metadata);
  if (metadata->topic_cnt != 1) return std::optional<int>();
  const rd_kafka_metadata_topic_t& found = metadata->topics[0];
  if (found.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return std::optional<int>();
  if (found.err != RD_KAFKA_RESP_ERR_NO_ERROR) return from(found.err, "cannot look for topic " + name.in_kafka);
  for (int i = 0; i < found.partition_cnt; ++i)
    if (found.partitions[i].leader < 0)
      return unavailable(no_leader, "a partition of topic " + name.in_kafka + " has no leader");
  return std::optional<int>(found.partition_cnt);
}

Result<void> Cluster::create_topics(const std::vector<MissingTopic>& missing) {
  if (missing.empty()) return {};
  BACKPLANE_CHECK(ask_for_topics(missing));
  // The brokers have agreed, but each learns of it, and of its partitions' leaders, in its own time.
  const Instant until = patience();
  for (const MissingTopic& topic : missing) {
    BACKPLANE_CHECK(insist(
        until, [&] { return look_whether_usable(topic.name); },
        [](const Error& error) { return error.code != ErrorCode::conflict; }));
  }
  return {};
}

Result<void> Cluster::look_whether_usable(const TopicName& name) {
  // To look is cheap, while a question to a leader that is not known yet may take librdkafka a second.
  BACKPLANE_TRY(partitions, find_topic_once(name));
  if (partitions && *partitions != log::lane_count) return wrong_partitions(name, *partitions);
  if (partitions && ranges_once(name)) return {};
  return unavailable("kafka", "topic " + name.in_kafka + " was made, but cannot be used yet");
}

Result<void> Cluster::ask_for_topics(const std::vector<MissingTopic>& missing) {
  const std::lock_guard lock(mutex_);
  char text[512];
  std::vector<NewTopic> topics;
  std::vector<rd_kafka_NewTopic_t*> pointers;
  for (const MissingTopic& wanted : missing) {
    const std::string& name = wanted.name.in_kafka;
    topics.emplace_back(
        rd_kafka_NewTopic_new(name.c_str(), log::lane_count, settings_.replication_factor, text, sizeof text));
    rd_kafka_NewTopic_t* const topic = topics.back().get();
    if (topic == nullptr) return invalid("kafka_topic", "cannot make topic " + name + ": " + text);
    rd_kafka_NewTopic_set_config(topic, "retention.ms", text_of(wanted.retention).c_str());
    rd_kafka_NewTopic_set_config(topic, "cleanup.policy", "delete");
    rd_kafka_NewTopic_set_config(topic, "message.timestamp.type", "CreateTime");
    rd_kafka_NewTopic_set_config(topic, "max.message.bytes", "8388608");
    pointers.push_back(topic);
  }
  const AdminOptions options(rd_kafka_AdminOptions_new(client_->get(), RD_KAFKA_ADMIN_OP_CREATETOPICS));
  rd_kafka_AdminOptions_set_request_timeout(options.get(), create_ms, text, sizeof text);
  rd_kafka_AdminOptions_set_operation_timeout(options.get(), create_ms, text, sizeof text);
  const Queue answers(rd_kafka_queue_new(client_->get()));
  rd_kafka_CreateTopics(client_->get(), pointers.data(), pointers.size(), options.get(), answers.get());
  const Event event(rd_kafka_queue_poll(answers.get(), create_ms + request_ms));
  if (event == nullptr) return unavailable("kafka", "cannot make topics: no answer");
  if (const auto error = rd_kafka_event_error(event.get()); error != RD_KAFKA_RESP_ERR_NO_ERROR)
    return from(error, "cannot make topics");
  std::size_t count = 0;
  const rd_kafka_topic_result_t** results =
      rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto error = rd_kafka_topic_result_error(results[i]);
    // Another host may have been quicker.
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR || error == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) continue;
    const char* why = rd_kafka_topic_result_error_string(results[i]);
    const std::string said = "cannot make topic " + std::string(rd_kafka_topic_result_name(results[i])) + ": " +
                             (why != nullptr ? why : rd_kafka_err2str(error));
    if (error == RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR)
      return invalid("kafka_replication",
                     said + ": set replication_factor of log_kafka to no more than there are brokers");
    return unavailable("kafka", said);
  }
  return {};
}

Result<void> Cluster::ask_offsets(const std::vector<TopicName>& names, std::int64_t which,
                                  std::vector<Offsets>& offsets) {
  const PartitionList list(rd_kafka_topic_partition_list_new(static_cast<int>(names.size() * log::lane_count)));
  for (const TopicName& name : names)
    for (int lane = 0; lane < log::lane_count; ++lane)
      rd_kafka_topic_partition_list_add(list.get(), name.in_kafka.c_str(), lane)->offset = which;
  const auto error = rd_kafka_offsets_for_times(client_->get(), list.get(), request_ms);
  client_->poll();
  offsets.assign(names.size(), Offsets{});
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& partition = list->elems[i];
    if (partition.err != RD_KAFKA_RESP_ERR_NO_ERROR)
      return from(partition.err, std::string("cannot ask for offsets of topic ") + partition.topic);
    const auto at = static_cast<std::size_t>(i);
    offsets[at / log::lane_count][at % log::lane_count] = partition.offset;
  }
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return from(error, "cannot ask for offsets");
  return {};
}

/// Another host may have made the topic a moment ago.
Result<Ranges> Cluster::ranges(const TopicName& name) {
  return insist(
      patience(), [&] { return ranges_once(name); }, leaders_are_chosen);
}

Result<Ranges> Cluster::ranges_once(const TopicName& name) {
  const std::lock_guard lock(mutex_);
  std::vector<Offsets> begins, ends;
  // In this order: a partition may grow or lose its beginning meanwhile, and the range must not be larger than it was.
  BACKPLANE_CHECK(ask_offsets({name}, RD_KAFKA_OFFSET_END, ends));
  BACKPLANE_CHECK(ask_offsets({name}, RD_KAFKA_OFFSET_BEGINNING, begins));
  Ranges ranges;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
    if (begins[0][lane] < 0 || ends[0][lane] < 0)
      return unavailable("kafka", "the offsets of topic " + name.in_kafka + " are not known yet");
    ranges[lane] = {begins[0][lane], std::max(begins[0][lane], ends[0][lane])};
  }
  return ranges;
}

Result<std::vector<Offsets>> Cluster::ends(const std::vector<TopicName>& names) {
  return insist(
      patience(), [&] { return ends_once(names); }, leaders_are_chosen);
}

Result<std::vector<Offsets>> Cluster::ends_once(const std::vector<TopicName>& names) {
  const std::lock_guard lock(mutex_);
  std::vector<Offsets> offsets;
  if (names.empty()) return offsets;
  BACKPLANE_CHECK(ask_offsets(names, RD_KAFKA_OFFSET_END, offsets));
  return offsets;
}

Result<std::vector<Entry>> Cluster::read(const TopicName& name, const PageRequest& request) {
  const std::lock_guard lock(mutex_);
  const Topic topic(rd_kafka_topic_new(client_->get(), name.in_kafka.c_str(), nullptr));
  const Queue queue(rd_kafka_queue_new(client_->get()));
  std::vector<int> begun;
  for (int lane = 0; lane < log::lane_count; ++lane) {
    const Range& range = request.lanes[static_cast<std::size_t>(lane)];
    if (range.begin >= range.end) continue;
    if (rd_kafka_consume_start_queue(topic.get(), lane, range.begin, queue.get()) == 0) begun.push_back(lane);
  }
  auto entries = collect(name, request, queue.get());
  for (const int lane : begun) rd_kafka_consume_stop(topic.get(), lane);
  client_->poll();
  return entries;
}

Result<std::vector<Entry>> Cluster::collect(const TopicName& name, const PageRequest& request,
                                            rd_kafka_queue_t* queue) {
  std::vector<Entry> entries;
  Offsets next{};
  std::size_t open = 0;
  for (std::size_t lane = 0; lane < log::lane_count; ++lane) {
    next[lane] = request.lanes[lane].begin;
    if (request.lanes[lane].begin < request.lanes[lane].end) ++open;
  }
  std::vector<rd_kafka_message_t*> messages(request.one_each ? 64 : std::clamp<std::size_t>(request.entries, 1, 1024));
  const Instant until = clock_.now() + std::chrono::milliseconds(request_ms);
  while (open != 0 && (request.one_each || entries.size() < request.entries)) {
    // The first wait for one, then what is there: the call waits until it has all that it was asked for.
    auto count = rd_kafka_consume_batch_queue(queue, 50, messages.data(), 1);
    if (count == 1)
      count += std::max<ssize_t>(0, rd_kafka_consume_batch_queue(queue, 0, messages.data() + 1, messages.size() - 1));
    std::optional<Error> failure;
    for (ssize_t i = 0; i < count; ++i) {
      const std::unique_ptr<rd_kafka_message_t, decltype(&rd_kafka_message_destroy)> message(
          messages[static_cast<std::size_t>(i)], rd_kafka_message_destroy);
      const auto lane = static_cast<std::size_t>(message->partition);
      if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET ||
          message->err == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        failure = conflict("out_of_range", "topic " + name.in_kafka + " no longer holds what was looked for");
      } else if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        failure = from(message->err, "cannot read topic " + name.in_kafka);
      } else if (lane < log::lane_count && message->offset >= next[lane] && next[lane] < request.lanes[lane].end) {
        next[lane] = request.one_each ? request.lanes[lane].end : message->offset + 1;
        if (next[lane] >= request.lanes[lane].end) --open;
        if (message->offset < request.lanes[lane].end) entries.push_back(decode(*message, name.topic));
      }
    }
    if (failure) return *std::move(failure);
    if (interrupted_ || clock_.now() >= until) {
      if (!request.one_each && !entries.empty()) break;
      return unavailable("kafka", "cannot read topic " + name.in_kafka + ": no answer in time");
    }
  }
  return entries;
}

}  // namespace backplane::log_kafka
