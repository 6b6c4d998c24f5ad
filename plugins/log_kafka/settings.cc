#include "settings.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "client.h"

namespace backplane::log_kafka {
namespace {

/// What this plugin relies on, or has an option for.
constexpr std::string_view reserved[] = {
    "acks",
    "auto.offset.reset",
    "bootstrap.servers",
    "enable.auto.commit",
    "enable.auto.offset.store",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enable.partition.eof",
    "group.id",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.send.max.retries",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "metadata.broker.list",
    "partitioner",
    "plugin.library.paths",
    "request.required.acks",
    "retries",
    "transactional.id",
};

void read_security(const plugin::Options& options, KafkaSettings& settings, std::vector<std::string>& faults) {
  const bool tls = options.boolean("tls");
  const std::string& mechanism = options.text("sasl_mechanism");
  const bool sasl = mechanism != "none";
  const auto add = [&](std::string name, std::string value) {
    settings.properties.emplace_back(std::move(name), std::move(value));
  };
  const auto add_file = [&](const char* option, const char* property) {
    const std::string& path = options.text(option);
    if (path.empty()) return;
    if (!tls) faults.push_back(std::string(option) + " is set, but tls is not: set tls: true, or remove it");
    add(property, path);
  };
  if (tls || sasl) add("security.protocol", sasl ? (tls ? "sasl_ssl" : "sasl_plaintext") : "ssl");
  add_file("tls_ca", "ssl.ca.location");
  add_file("tls_certificate", "ssl.certificate.location");
  add_file("tls_key", "ssl.key.location");
  if (options.text("tls_certificate").empty() != options.text("tls_key").empty())
    faults.push_back("a client certificate needs both tls_certificate and tls_key: set both, or neither");
  if (tls) {
    const bool verify = options.boolean("tls_verify");
    add("enable.ssl.certificate.verification", verify ? "true" : "false");
    add("ssl.endpoint.identification.algorithm", verify ? "https" : "none");
  }
  const std::string& username = options.text("sasl_username");
  const std::string& password = options.text("sasl_password");
  if (sasl) {
    if (username.empty() || password.empty())
      faults.push_back("sasl_mechanism is " + mechanism + ": set sasl_username and sasl_password, too");
    add("sasl.mechanism", mechanism);
    add("sasl.username", username);
    add("sasl.password", password);
  } else if (!username.empty() || !password.empty()) {
    faults.push_back("sasl_username or sasl_password is set, but no sasl_mechanism: choose one, or remove them");
  }
}

void read_properties(const plugin::Options& options, KafkaSettings& settings, std::vector<std::string>& faults) {
  for (const std::string& line : options.list("properties")) {
    const std::size_t equals = line.find('=');
    if (equals == 0 || equals == std::string::npos) {
      faults.push_back("properties: '" + line + "' is no name=value, for example socket.timeout.ms=10000");
      continue;
    }
    std::string name = line.substr(0, equals);
    if (std::find(std::begin(reserved), std::end(reserved), name) != std::end(reserved)) {
      faults.push_back("properties: " + name +
                       " is not to be set: the plugin relies on its own value, or has an option for it");
      continue;
    }
    settings.properties.emplace_back(std::move(name), line.substr(equals + 1));
  }
}

}  // namespace

KafkaSettings read_settings(const plugin::Options& options, std::vector<std::string>& faults) {
  KafkaSettings settings;
  settings.brokers.clear();
  for (const std::string& broker : options.list("brokers")) {
    if (broker.empty() || broker.find_first_of(", \t") != std::string::npos)
      faults.push_back("brokers: '" + broker + "' is no host:port; write one broker an element");
    settings.brokers += (settings.brokers.empty() ? "" : ",") + broker;
  }
  if (settings.brokers.empty()) faults.push_back("brokers is empty: name at least one broker as host:port");
  settings.topic_prefix = options.text("topic_prefix");
  // Kafka: 249 characters at most; the longest topic of ours has about 30.
  const bool legal = settings.topic_prefix.size() <= 200 &&
                     std::all_of(settings.topic_prefix.begin(), settings.topic_prefix.end(), [](unsigned char c) {
                       return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                              c == '_' || c == '-';
                     });
  if (!legal)
    faults.push_back("topic_prefix '" + settings.topic_prefix +
                     "' is no beginning of a topic's name: use up to 200 of a-z, A-Z, 0-9, '.', '_' and '-'");
  settings.replication_factor = static_cast<int>(options.integer("replication_factor"));
  settings.retention = options.duration("retention");
  settings.volatile_retention = options.duration("volatile_retention");
  settings.keep_relayed = options.duration("keep_relayed");
  settings.connect_timeout = options.duration("connect_timeout");
  read_security(options, settings, faults);
  read_properties(options, settings, faults);
  // librdkafka judges names and values itself.
  if (faults.empty()) {
    for (const Role role : {Role::producer, Role::reader})
      if (std::string fault = find_config_fault(settings, role); !fault.empty()) {
        faults.push_back(std::move(fault));
        break;
      }
  }
  return settings;
}

}  // namespace backplane::log_kafka
