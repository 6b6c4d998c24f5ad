#include "kafka_world.h"

#include <unistd.h>

#include <stdexcept>

#include "client.h"
#include "entry.h"
#include "kafka_broker.h"

namespace backplane::log {
namespace {

using log_kafka::Client;
using log_kafka::Role;

/// What the tests do to the brokers behind the transport's back.
std::unique_ptr<Client> make_client(const log_kafka::KafkaSettings& settings, Role role) {
  auto client = Client::create(settings, role, testing::quiet_logger(),
                               {[](const rd_kafka_message_t& message) {
                                  if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR)
                                    throw std::runtime_error(rd_kafka_err2str(message.err));
                                },
                                {}});
  if (!client) throw std::runtime_error(client.error().text);
  return std::move(*client);
}

void expect_success(rd_kafka_queue_t* answers) {
  rd_kafka_event_t* event = rd_kafka_queue_poll(answers, 20'000);
  const std::string error = event == nullptr ? "no answer"
                            : rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR
                                ? rd_kafka_event_error_string(event)
                                : "";
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(answers);
  if (!error.empty()) throw std::runtime_error(error);
}

}  // namespace

KafkaWorld::KafkaWorld() {
  settings.brokers = kafka_broker().bootstrap();
  settings.topic_prefix = folder().substr(folder().rfind('/') + 1) + ".";
  settings.keep_relayed = Duration::zero();
}

std::unique_ptr<Transport> KafkaWorld::make_transport(Clock& clock) {
  return std::make_unique<log_kafka::KafkaTransport>(settings, clock, metrics, testing::quiet_logger());
}

void KafkaWorld::expire(const std::string& topic) {
  const auto client = make_client(settings, Role::asker);
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(lane_count);
  for (int lane = 0; lane < lane_count; ++lane)
    rd_kafka_topic_partition_list_add(all, (settings.topic_prefix + topic).c_str(), lane)->offset = RD_KAFKA_OFFSET_END;
  rd_kafka_DeleteRecords_t* request = rd_kafka_DeleteRecords_new(all);
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client->get());
  rd_kafka_DeleteRecords(client->get(), &request, 1, nullptr, answers);
  rd_kafka_DeleteRecords_destroy(request);
  rd_kafka_topic_partition_list_destroy(all);
  expect_success(answers);
}

void KafkaWorld::create_topic(const std::string& topic, int partitions) {
  const auto client = make_client(settings, Role::asker);
  rd_kafka_NewTopic_t* request =
      rd_kafka_NewTopic_new((settings.topic_prefix + topic).c_str(), partitions, 1, nullptr, 0);
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client->get());
  rd_kafka_CreateTopics(client->get(), &request, 1, nullptr, answers);
  rd_kafka_NewTopic_destroy(request);
  expect_success(answers);
}

void KafkaWorld::delete_topic(const std::string& topic) {
  const auto client = make_client(settings, Role::asker);
  rd_kafka_DeleteTopic_t* request = rd_kafka_DeleteTopic_new((settings.topic_prefix + topic).c_str());
  rd_kafka_queue_t* answers = rd_kafka_queue_new(client->get());
  rd_kafka_DeleteTopics(client->get(), &request, 1, nullptr, answers);
  rd_kafka_DeleteTopic_destroy(request);
  expect_success(answers);
}

void KafkaWorld::produce(const std::string& topic, std::uint16_t lane, const std::string& epoch, std::uint64_t sequence,
                         std::uint64_t after, const std::string& payload) {
  const auto client = make_client(settings, Role::producer);
  log_kafka::Entry entry;
  entry.epoch = epoch;
  entry.sequence = sequence;
  entry.after = after;
  entry.record = std::make_shared<const Record>(Record{topic, {lane, sequence}, "key", payload, 0, 0});
  const auto error = rd_kafka_producev(
      client->get(), RD_KAFKA_V_TOPIC((settings.topic_prefix + topic).c_str()), RD_KAFKA_V_PARTITION(lane),
      RD_KAFKA_V_KEY("key", 3),
      RD_KAFKA_V_VALUE(const_cast<char*>(payload.data()), payload.size()),  // NOLINT: it is copied
      RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(system_clock().wall_ms() - 60'000),
      RD_KAFKA_V_HEADERS(log_kafka::encode_headers(entry)), RD_KAFKA_V_END);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR || rd_kafka_flush(client->get(), 20'000) != RD_KAFKA_RESP_ERR_NO_ERROR)
    throw std::runtime_error("cannot produce a record");
}

}  // namespace backplane::log
