#include "client.h"

#include <atomic>
#include <chrono>
#include <future>
#include <thread>
#include <utility>
#include <vector>

namespace backplane::log_kafka {
namespace {

/// A handle ends within milliseconds, unless it never does.
constexpr std::chrono::seconds longest_end(2);

using Config = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

std::string set(rd_kafka_conf_t* config, const std::string& name, const std::string& value) {
  char error[512];
  if (rd_kafka_conf_set(config, name.c_str(), value.c_str(), error, sizeof error) == RD_KAFKA_CONF_OK) return {};
  return error;
}

/// A record's way through the brokers is to take a millisecond or two, so nothing lingers and nobody waits for more.
std::vector<std::pair<std::string, std::string>> properties_of(Role role) {
  std::vector<std::pair<std::string, std::string>> properties{
      {"client.id", "backplane"},        {"socket.nagle.disable", "true"}, {"socket.keepalive.enable", "true"},
      {"socket.timeout.ms", "10000"},    {"reconnect.backoff.ms", "50"},   {"reconnect.backoff.max.ms", "1000"},
      {"log.connection.close", "false"}, {"message.max.bytes", "8388608"}, {"receive.message.max.bytes", "100000000"},
  };
  const auto add = [&](const char* name, const char* value) { properties.emplace_back(name, value); };
  if (role == Role::producer) {
    add("enable.idempotence", "true");
    add("acks", "all");
    add("linger.ms", "0");
    // A record that is not delivered stays in the queue: giving it up would leave a hole behind which others follow.
    add("message.timeout.ms", "0");
    add("queue.buffering.max.messages", "1000000");
    add("queue.buffering.max.kbytes", "262144");
    add("retry.backoff.ms", "50");
    // When a topic was deleted. A new one is waited for before anything is sent to it.
    add("topic.metadata.propagation.max.ms", "5000");
    return properties;
  }
  add("enable.auto.commit", "false");
  add("enable.auto.offset.store", "false");
  add("auto.offset.reset", "error");
  add("allow.auto.create.topics", "false");
  add("fetch.error.backoff.ms", "50");
  if (role == Role::reader) {
    add("fetch.wait.max.ms", "500");
    add("queued.max.messages.kbytes", "16384");
  } else {
    // Reads pages here and there: what is fetched beyond a page is thrown away.
    add("fetch.wait.max.ms", "10");
    add("fetch.message.max.bytes", "65536");
    add("queued.max.messages.kbytes", "1024");
  }
  return properties;
}

Result<Config> make_config(const KafkaSettings& settings, Role role) {
  Config config(rd_kafka_conf_new(), rd_kafka_conf_destroy);
  for (const auto& [name, value] : properties_of(role))
    if (std::string error = set(config.get(), name, value); !error.empty()) return internal_error(std::move(error));
  if (std::string error = set(config.get(), "bootstrap.servers", settings.brokers); !error.empty())
    return invalid("kafka_brokers", "brokers: " + error);
  for (const auto& [name, value] : settings.properties)
    if (std::string error = set(config.get(), name, value); !error.empty())
      return invalid("kafka_property", "librdkafka does not take property " + name + ": " + error);
  return config;
}

/// Of syslog.
LogLevel level_of(int level) {
  if (level <= 4) return LogLevel::warning;
  return level <= 6 ? LogLevel::info : LogLevel::debug;
}

}  // namespace

std::string find_config_fault(const KafkaSettings& settings, Role role) {
  const auto config = make_config(settings, role);
  return config ? std::string() : config.error().text;
}

/// What librdkafka's threads call, as long as there are any.
struct Client::Callbacks {
  Logger logger;
  Events events;
  std::atomic<bool> over = false;  ///< nobody is to be told any more

  /// nullptr when it is over.
  static const Callbacks* find(void* opaque) {
    const auto* callbacks = static_cast<const Callbacks*>(opaque);
    return callbacks->over ? nullptr : callbacks;
  }
};

Result<std::unique_ptr<Client>> Client::create(const KafkaSettings& settings, Role role, Logger logger, Events events) {
  auto config = make_config(settings, role);
  if (!config) return std::move(config).error();
  std::unique_ptr<Client> client(
      new Client(std::shared_ptr<Callbacks>(new Callbacks{std::move(logger), std::move(events)})));
  rd_kafka_conf_set_opaque(config->get(), client->callbacks_.get());
  rd_kafka_conf_set_log_cb(config->get(), &Client::write_log);
  if (role == Role::producer) {
    rd_kafka_conf_set_dr_msg_cb(config->get(), [](rd_kafka_t*, const rd_kafka_message_t* message, void* self) {
      if (const Callbacks* callbacks = Callbacks::find(self)) callbacks->events.delivered(*message);
    });
  }
  rd_kafka_conf_set_error_cb(config->get(), [](rd_kafka_t*, int error, const char* text, void* self) {
    const Callbacks* callbacks = Callbacks::find(self);
    if (callbacks != nullptr && callbacks->events.failed)
      callbacks->events.failed(static_cast<rd_kafka_resp_err_t>(error), text);
  });
  char error[512];
  client->handle_ =
      rd_kafka_new(role == Role::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER, config->get(), error, sizeof error);
  if (client->handle_ == nullptr) return internal_error(std::string("librdkafka does not start: ") + error);
  (void)config->release();  // the handle's now
  return client;
}

// librdkafka 2.0.2 to 2.5 wait for ever for a partition that was deleted while it was read (its issue 4724). Then the
// thread that waits stays until the process ends, with what it may call.
Client::~Client() {
  if (handle_ == nullptr) return;
  if (rd_kafka_type(handle_) == RD_KAFKA_PRODUCER)
    rd_kafka_purge(handle_, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
  callbacks_->over = true;
  std::promise<void> end;
  std::future<void> ended = end.get_future();
  std::thread ending([handle = handle_, callbacks = callbacks_, end = std::move(end)]() mutable {
    rd_kafka_destroy(handle);
    end.set_value();
  });
  if (ended.wait_for(longest_end) == std::future_status::ready) {
    ending.join();
    return;
  }
  ending.detach();
  callbacks_->logger.warning("librdkafka does not end a connection to the brokers, it is left behind");
}

void Client::write_log(const rd_kafka_t* handle, int level, const char* facility, const char* text) {
  if (const Callbacks* callbacks = Callbacks::find(rd_kafka_opaque(handle)))
    callbacks->logger.log(level_of(level), "librdkafka", {{"about", facility}, {"text", text}});
}

}  // namespace backplane::log_kafka
