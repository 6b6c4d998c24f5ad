// Deferred calls (api/method.h) as what a task (base/task.h) waits for:
//
//   auto state = co_await ask(workers, federation.get_state_ids, request);
//   auto events = co_await ask_all(workers, federation.get_event, requests);   // all at once; a result each
//
// The task goes on on a thread of `workers`, which may wait; where those have stopped, on the thread of the last
// answer. Where all answers come within the calls it goes on at once, on the same thread.
#pragma once

#include <atomic>
#include <coroutine>
#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/base/executor.h"

namespace backplane::api {

template <class Request, class Response>
class [[nodiscard]] AskAll {
 public:
  AskAll(Executor& workers, const DeferredMethod<Request, Response>& method, std::span<const Request> requests,
         const CallContext& context)
      : workers_(workers), method_(method), requests_(requests), context_(context) {}

  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> task) {
    // The last one of the answers and of the return from the calls goes on with the task: until then the calls need
    // what it holds.
    const std::shared_ptr<State> state = state_ = std::make_shared<State>(requests_.size());
    for (std::size_t i = 0; i < requests_.size(); ++i) {
      method_(context_, requests_[i], [state, i, task, &workers = workers_](Result<Response> result) {
        state->results[i].emplace(std::move(result));
        if (state->left.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
        if (!workers.submit([task] { task.resume(); })) task.resume();
      });
    }
    return state->left.fetch_sub(1, std::memory_order_acq_rel) != 1;
  }
  std::vector<Result<Response>> await_resume() {
    std::vector<Result<Response>> results;
    results.reserve(state_->results.size());
    for (auto& result : state_->results) results.push_back(std::move(*result));
    return results;
  }

 private:
  struct State {
    explicit State(std::size_t requests) : left(requests + 1), results(requests) {}
    std::atomic<std::size_t> left;
    std::vector<std::optional<Result<Response>>> results;
  };
  Executor& workers_;
  const DeferredMethod<Request, Response>& method_;
  const std::span<const Request> requests_;
  const CallContext context_;
  std::shared_ptr<State> state_;
};

template <class Request, class Response>
class [[nodiscard]] Ask {
 public:
  Ask(Executor& workers, const DeferredMethod<Request, Response>& method, const Request& request,
      const CallContext& context)
      : all_(workers, method, std::span(&request, 1), context) {}
  bool await_ready() const noexcept { return false; }
  bool await_suspend(std::coroutine_handle<> task) { return all_.await_suspend(task); }
  Result<Response> await_resume() { return std::move(all_.await_resume().front()); }

 private:
  AskAll<Request, Response> all_;
};

/// `request` has to live until the answer is there, and so has `context`: no temporaries (which GCC 12 would destroy
/// twice, see base/task.h).
template <class Request, class Response>
Ask<Request, Response> ask(Executor& workers, const DeferredMethod<Request, Response>& method, const Request& request) {
  return {workers, method, request, {}};
}
template <class Request, class Response>
Ask<Request, Response> ask(Executor& workers, const DeferredMethod<Request, Response>& method, const Request& request,
                           const CallContext& context) {
  return {workers, method, request, context};
}
template <class Request, class Response>
void ask(Executor&, const DeferredMethod<Request, Response>&, const Request&&) = delete;
template <class Request, class Response>
void ask(Executor&, const DeferredMethod<Request, Response>&, const Request&, const CallContext&&) = delete;

/// Likewise.
template <class Request, class Response>
AskAll<Request, Response> ask_all(Executor& workers, const DeferredMethod<Request, Response>& method,
                                  const std::vector<Request>& requests) {
  return {workers, method, std::span<const Request>(requests), {}};
}
template <class Request, class Response>
AskAll<Request, Response> ask_all(Executor& workers, const DeferredMethod<Request, Response>& method,
                                  const std::vector<Request>& requests, const CallContext& context) {
  return {workers, method, std::span<const Request>(requests), context};
}
template <class Request, class Response>
void ask_all(Executor&, const DeferredMethod<Request, Response>&, const std::vector<Request>&&) = delete;
template <class Request, class Response>
void ask_all(Executor&, const DeferredMethod<Request, Response>&, const std::vector<Request>&&,
             const CallContext&) = delete;

}  // namespace backplane::api
