// A connection of this process to the brokers: a handle of librdkafka, which has threads of its own (one, and one for
// each broker), so a process has three of them and not one for each subscription. In files that include this one,
// librdkafka's names are visible; nowhere else.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "backplane/base/logger.h"
#include "backplane/base/result.h"
#include "settings.h"

namespace backplane::log_kafka {

enum class Role : std::uint8_t {
  producer,
  reader,  ///< follows the ends of partitions; waits long for news
  asker,   ///< metadata, offsets, old records; never waits long
};

/// What is wrong with the operator's properties; empty when nothing is.
std::string find_config_fault(const KafkaSettings& settings, Role role);

class Client {
 public:
  /// Called from rd_kafka_poll(), on the thread that polls.
  struct Events {
    std::function<void(const rd_kafka_message_t&)> delivered;                 ///< a record, or that it will not be
    std::function<void(rd_kafka_resp_err_t error, const char* text)> failed;  ///< of a broker, or of the handle
  };
  static Result<std::unique_ptr<Client>> create(const KafkaSettings& settings, Role role, Logger logger, Events events);
  /// Ends the handle's threads; unsent records are lost. A handle that does not end is left behind, with a warning.
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  rd_kafka_t* get() const { return handle_; }
  /// Serves callbacks that are due.
  void poll() const { rd_kafka_poll(handle_, 0); }

 private:
  struct Callbacks;
  explicit Client(std::shared_ptr<Callbacks> callbacks) : callbacks_(std::move(callbacks)) {}
  static void write_log(const rd_kafka_t* handle, int level, const char* facility, const char* text);

  const std::shared_ptr<Callbacks> callbacks_;
  rd_kafka_t* handle_ = nullptr;
};

}  // namespace backplane::log_kafka
