// Work that waits for others again and again, written as if it blocked: a coroutine that holds no thread while it
// waits. Who asks other servers for one thing after the other is written with it; all else blocks (api/method.h).
//
//   Task<Result<Page>> find_page(Parts& parts, std::string name) {
//     const GetPageRequest request{name};
//     auto page = co_await ask(parts.workers, parts.sites.get_page, request);      // api/ask.h
//     …
//     co_return std::move(page);
//   }
//   start<Page>(find_page(parts, "a"), [](Result<Page> page) { … });
//
// A task begins when it is awaited, or with start(), on that thread, and goes on on the thread of whatever it waited
// for. It is awaited or started once. What it uses has to outlive it: parameters are taken by value, or belong to
// somebody who waits for the task's end. Locks, lanes and transactions are never held over a co_await.
//
// COMPAT: GCC 12 destroys some temporaries of a co_await expression twice: name requests before, as above.
#pragma once

#include <coroutine>
#include <exception>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "backplane/base/result.h"

namespace backplane {

template <class T>
class [[nodiscard]] Task {
 public:
  struct promise_type {
    Task get_return_object() { return Task(Handle::from_promise(*this)); }
    std::suspend_always initial_suspend() noexcept { return {}; }
    auto final_suspend() noexcept {
      struct GoOn {
        bool await_ready() noexcept { return false; }
        std::coroutine_handle<> await_suspend(std::coroutine_handle<promise_type> self) noexcept {
          return self.promise().awaiting;
        }
        void await_resume() noexcept {}
      };
      return GoOn{};
    }
    template <class Value>
    void return_value(Value&& value) {
      result.emplace(std::forward<Value>(value));
    }
    void unhandled_exception() noexcept { failure = std::current_exception(); }

    std::optional<T> result;
    std::exception_ptr failure;
    std::coroutine_handle<> awaiting = std::noop_coroutine();
  };

  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&&) = delete;
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return false; }
  std::coroutine_handle<> await_suspend(std::coroutine_handle<> awaiting) noexcept {
    handle_.promise().awaiting = awaiting;
    return handle_;
  }
  /// Throws what escaped from the task.
  T await_resume() {
    if (handle_.promise().failure) std::rethrow_exception(handle_.promise().failure);
    return std::move(*handle_.promise().result);
  }

 private:
  using Handle = std::coroutine_handle<promise_type>;
  explicit Task(Handle handle) : handle_(handle) {}
  Handle handle_;
};

/// Runs a task that nobody awaits; `done` gets what it came to (internal for what escaped from it), and may not throw.
template <class T>
void start(Task<Result<T>> task, std::function<void(Result<T>)> done) {
  struct Started {
    struct promise_type {
      Started get_return_object() noexcept { return {}; }
      std::suspend_never initial_suspend() noexcept { return {}; }
      std::suspend_never final_suspend() noexcept { return {}; }
      void return_void() noexcept {}
      void unhandled_exception() noexcept { std::terminate(); }
    };
  };
  // The parameters live as long as the coroutine; what a lambda captures would not.
  [](Task<Result<T>> work, std::function<void(Result<T>)> then) -> Started {
    std::optional<Result<T>> result;
    try {
      result.emplace(co_await work);
    } catch (const std::exception& e) {
      result.emplace(internal_error("an exception escaped from a task: " + std::string(e.what())));
    } catch (...) {
      result.emplace(internal_error("an exception escaped from a task"));
    }
    then(std::move(*result));
  }(std::move(task), std::move(done));
}

/// As BACKPLANE_TRY and BACKPLANE_CHECK (base/result.h), in a task.
#define BACKPLANE_CO_TRY(name, expression)                               \
  auto name##_result_ = (expression);                                    \
  if (!name##_result_.ok()) co_return std::move(name##_result_).error(); \
  auto& name = *name##_result_
#define BACKPLANE_CO_CHECK(expression)                                    \
  do {                                                                    \
    if (auto backplane_checked_ = (expression); !backplane_checked_.ok()) \
      co_return std::move(backplane_checked_).error();                    \
  } while (false)

}  // namespace backplane
