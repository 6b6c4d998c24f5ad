#include "log/thread.h"

#include <cerrno>
#include <system_error>
#include <utility>

namespace backplane::log {
namespace {

// Handlers parse records and take locks; 512 KiB is ample, and only what is touched costs memory.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t stack_bytes = 8 * 1024 * 1024;
#else
constexpr std::size_t stack_bytes = 512 * 1024;
#endif

}  // namespace

void Thread::start(const std::string& name, std::function<void()> body) {
  body_ = std::move(body);
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  const int error = pthread_create(
      &handle_, &attributes,
      [](void* self) -> void* {
        static_cast<Thread*>(self)->body_();
        return nullptr;
      },
      this);
  pthread_attr_destroy(&attributes);
  if (error != 0) throw std::system_error(error, std::generic_category(), "starting thread " + name);
  running_ = true;
  pthread_setname_np(handle_, name.substr(0, 15).c_str());
}

void Thread::join() {
  if (!std::exchange(running_, false)) return;
  pthread_join(handle_, nullptr);
}

}  // namespace backplane::log
