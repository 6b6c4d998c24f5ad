// A real Kafka broker for tests, started by tests/support/kafka/kafka.py, which ends it with this process.
#pragma once

#include <cstdio>
#include <string>

namespace backplane::log {

class KafkaBroker {
 public:
  /// Started, and takes requests. Throws std::runtime_error.
  KafkaBroker();
  ~KafkaBroker();
  KafkaBroker(const KafkaBroker&) = delete;
  KafkaBroker& operator=(const KafkaBroker&) = delete;

  const std::string& bootstrap() const { return bootstrap_; }
  /// kill -9.
  void kill() { tell("kill"); }
  /// Again, with the same port and data.
  void start() { tell("start"); }
  /// It is there and does not answer.
  void pause() { tell("pause"); }
  void resume() { tell("resume"); }

 private:
  void tell(const char* command);

  int process_ = -1;
  std::FILE* commands_ = nullptr;
  std::FILE* answers_ = nullptr;
  std::string bootstrap_;
};

/// The broker of this test program: started when it is first asked for, stopped at the end of the program's tests.
KafkaBroker& kafka_broker();

}  // namespace backplane::log
