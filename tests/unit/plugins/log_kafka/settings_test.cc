// Options: what is passed to librdkafka, and what is said of those that are wrong.
#include "settings.h"

#include <gmock/gmock.h>

#include <algorithm>

#include "client.h"

namespace backplane::log_kafka {
namespace {

using plugin::OptionValue;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using Texts = std::vector<std::string>;

class Settings : public ::testing::Test {
 protected:
  void set(const std::string& name, OptionValue value) { values_[name] = std::move(value); }
  KafkaSettings read() {
    faults_.clear();
    return read_settings(plugin::Options(values_), faults_);
  }
  Texts faults() {
    (void)read();
    return faults_;
  }
  static std::string find(const KafkaSettings& settings, const std::string& name) {
    for (const auto& [key, value] : settings.properties)
      if (key == name) return value;
    return "(none)";
  }

  static constexpr std::int64_t hour = 3'600'000'000'000;
  std::map<std::string, OptionValue, std::less<>> values_{
      {"brokers", Texts{"localhost:9092"}},
      {"topic_prefix", std::string("backplane.")},
      {"replication_factor", std::int64_t{1}},
      {"retention", 168 * hour},
      {"volatile_retention", hour},
      {"keep_relayed", hour},
      {"connect_timeout", std::int64_t{30'000'000'000}},
      {"tls", false},
      {"tls_ca", std::string()},
      {"tls_certificate", std::string()},
      {"tls_key", std::string()},
      {"tls_verify", true},
      {"sasl_mechanism", std::string("none")},
      {"sasl_username", std::string()},
      {"sasl_password", std::string()},
      {"properties", Texts{}},
  };
  Texts faults_;
};

TEST_F(Settings, defaults_have_no_faults) {
  const KafkaSettings settings = read();
  EXPECT_THAT(faults_, IsEmpty());
  EXPECT_EQ(settings.brokers, "localhost:9092");
  EXPECT_EQ(settings.retention, std::chrono::hours(168));
  EXPECT_THAT(settings.properties, IsEmpty());
}

TEST_F(Settings, brokers_are_joined_and_checked) {
  set("brokers", Texts{"one:9092", "two:9093"});
  EXPECT_EQ(read().brokers, "one:9092,two:9093");
  set("brokers", Texts{"one:9092, two:9092"});
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("'one:9092, two:9092' is no host:port; write one broker an element")));
  set("brokers", Texts{});
  EXPECT_THAT(faults(), ElementsAre("brokers is empty: name at least one broker as host:port"));
}

TEST_F(Settings, a_prefix_must_be_the_beginning_of_a_topics_name) {
  set("topic_prefix", std::string("my server/"));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("topic_prefix 'my server/' is no beginning of a topic's name")));
}

TEST_F(Settings, tls_and_sasl_become_librdkafkas) {
  set("tls", true);
  set("tls_ca", std::string("/etc/ssl/certs/ca-certificates.crt"));
  set("sasl_mechanism", std::string("SCRAM-SHA-256"));
  set("sasl_username", std::string("me"));
  set("sasl_password", std::string("secret"));
  const KafkaSettings settings = read();
  EXPECT_THAT(faults_, IsEmpty());
  EXPECT_EQ(find(settings, "security.protocol"), "sasl_ssl");
  EXPECT_EQ(find(settings, "ssl.ca.location"), "/etc/ssl/certs/ca-certificates.crt");
  EXPECT_EQ(find(settings, "ssl.endpoint.identification.algorithm"), "https");
  EXPECT_EQ(find(settings, "enable.ssl.certificate.verification"), "true");
  EXPECT_EQ(find(settings, "sasl.password"), "secret");
  set("tls_verify", false);
  EXPECT_EQ(find(read(), "enable.ssl.certificate.verification"), "false");
  set("tls", false);
  set("tls_ca", std::string());
  EXPECT_EQ(find(read(), "security.protocol"), "sasl_plaintext");
}

TEST_F(Settings, halves_of_settings_are_faults) {
  set("tls_key", std::string("/key.pem"));
  set("sasl_username", std::string("me"));
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("tls_key is set, but tls is not"),
                                    HasSubstr("needs both tls_certificate and tls_key"),
                                    HasSubstr("but no sasl_mechanism: choose one, or remove them")));
  set("sasl_mechanism", std::string("PLAIN"));
  EXPECT_THAT(faults(), ::testing::Contains(HasSubstr("set sasl_username and sasl_password, too")));
}

TEST_F(Settings, properties_go_to_librdkafka_which_judges_them) {
  set("properties", Texts{"socket.timeout.ms=20000", "client.id=a=b"});
  const KafkaSettings settings = read();
  EXPECT_THAT(faults_, IsEmpty());
  EXPECT_EQ(find(settings, "client.id"), "a=b");
  set("properties", Texts{"no.such.thing=1"});
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("does not take property no.such.thing: No such configuration property")));
  set("properties", Texts{"socket.timeout.ms=soon"});
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("does not take property socket.timeout.ms: ")));
  set("properties", Texts{"nonsense"});
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("'nonsense' is no name=value")));
  set("properties", Texts{"enable.idempotence=false"});
  EXPECT_THAT(faults(), ElementsAre(HasSubstr("enable.idempotence is not to be set")));
}

}  // namespace
}  // namespace backplane::log_kafka
