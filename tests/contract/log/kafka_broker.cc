#include "kafka_broker.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <memory>
#include <stdexcept>

namespace backplane::log {

KafkaBroker::KafkaBroker() {
  int commands[2], answers[2];
  if (pipe2(commands, O_CLOEXEC) != 0 || pipe2(answers, O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  process_ = fork();
  if (process_ == 0) {
    dup2(commands[0], 0);
    dup2(answers[1], 1);
    execl(KAFKA_PYTHON, KAFKA_PYTHON, KAFKA_SCRIPT, "serve", nullptr);
    _exit(127);
  }
  close(commands[0]);
  close(answers[1]);
  commands_ = fdopen(commands[1], "w");
  answers_ = fdopen(answers[0], "r");
  start();
}

KafkaBroker::~KafkaBroker() {
  std::fclose(commands_);
  waitpid(process_, nullptr, 0);
  std::fclose(answers_);
}

void KafkaBroker::tell(const char* command) {
  std::fprintf(commands_, "%s\n", command);
  std::fflush(commands_);
  char answer[8192];
  if (std::fgets(answer, sizeof answer, answers_) == nullptr)
    throw std::runtime_error("tests/support/kafka/kafka.py ended; run it by hand: kafka.py serve");
  std::string text(answer);
  if (!text.ends_with('\n') || !text.starts_with("ok ")) throw std::runtime_error("the Kafka broker: " + text);
  bootstrap_ = text.substr(3, text.size() - 4);
}

KafkaBroker& kafka_broker() {
  static std::unique_ptr<KafkaBroker> broker;
  struct Stop : ::testing::Environment {
    void TearDown() override { broker.reset(); }
  };
  if (broker == nullptr) {
    broker = std::make_unique<KafkaBroker>();
    ::testing::AddGlobalTestEnvironment(new Stop);
  }
  return *broker;
}

}  // namespace backplane::log
