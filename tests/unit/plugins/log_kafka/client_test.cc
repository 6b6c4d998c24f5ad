// The end of a connection to the brokers. librdkafka has some of its own for tests.
#include "client.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "backplane/testing/temporary_database.h"

namespace backplane::log_kafka {
namespace {

using namespace std::chrono_literals;

constexpr const char* topic_name = "deleted";

class ClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<Client> make(Role role, std::vector<std::pair<std::string, std::string>> properties = {}) {
    KafkaSettings settings;
    settings.brokers = brokers_ == nullptr ? "127.0.0.1:1" : rd_kafka_mock_cluster_bootstraps(brokers_);
    settings.properties = std::move(properties);
    auto client = Client::create(settings, role, testing::quiet_logger(), {[](const rd_kafka_message_t&) {}, {}});
    EXPECT_TRUE(client) << client.error().text;
    return *std::move(client);
  }

  ClientTest() { brokers_ = rd_kafka_mock_cluster_new(host_->get(), 1); }
  ~ClientTest() override { rd_kafka_mock_cluster_destroy(brokers_); }

  rd_kafka_mock_cluster_t* brokers_ = nullptr;
  const std::unique_ptr<Client> host_ = make(Role::producer);
};

// A test that waits for ever is ended by ctest.
TEST_F(ClientTest, EndsAlthoughAPartitionWasDeletedWhileItWasRead) {
  ASSERT_EQ(rd_kafka_mock_topic_create(brokers_, topic_name, 1, 1), RD_KAFKA_RESP_ERR_NO_ERROR);
  const auto producer = make(Role::producer);
  ASSERT_EQ(rd_kafka_producev(producer->get(), RD_KAFKA_V_TOPIC(topic_name), RD_KAFKA_V_PARTITION(0),
                              RD_KAFKA_V_VALUE(const_cast<char*>("x"), 1),  // NOLINT
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END),
            RD_KAFKA_RESP_ERR_NO_ERROR);
  ASSERT_EQ(rd_kafka_flush(producer->get(), 10'000), RD_KAFKA_RESP_ERR_NO_ERROR);

  auto reader = make(Role::reader, {{"topic.metadata.refresh.interval.ms", "100"}});
  rd_kafka_topic_t* const topic = rd_kafka_topic_new(reader->get(), topic_name, nullptr);
  ASSERT_EQ(rd_kafka_consume_start(topic, 0, 0), 0);
  std::this_thread::sleep_for(500ms);  // what nobody takes waits in the partition's queue
  rd_kafka_mock_topic_set_error(brokers_, topic_name, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  std::this_thread::sleep_for(500ms);  // librdkafka learns of it
  rd_kafka_consume_stop(topic, 0);
  rd_kafka_topic_destroy(topic);
  reader.reset();
}

}  // namespace
}  // namespace backplane::log_kafka
