#include "host/cli/last_words.h"

#include <pthread.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <exception>
#include <string>

namespace backplane::host {
namespace {

std::string why() {
  const auto exception = std::current_exception();
  if (!exception) return "std::terminate was called";
  try {
    std::rethrow_exception(exception);
  } catch (const std::exception& e) {
    return std::string("nobody caught an exception: ") + e.what();
  } catch (...) {
    return "nobody caught an exception of unknown type";
  }
}

[[noreturn]] void say_last_words() {
  std::array<char, 16> thread{};
  ::pthread_getname_np(::pthread_self(), thread.data(), thread.size());
  const std::string text = "error: thread '" + std::string(thread.data()) +
                           "' has failed, and the server ends with it\n  " + why() +
                           "\n  fix: start it again, and report this with what the log says before it\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
  std::abort();
}

}  // namespace

void install_last_words() { std::set_terminate(say_last_words); }

}  // namespace backplane::host
