#include "host/http/exchange.h"

#include <utility>

#include "host/http/server_core.h"

namespace backplane::host {

Exchange::Exchange(std::shared_ptr<ServerCore> core, std::shared_ptr<ResponseSink> sink, const Route& route,
                   RequestId id)
    : core_(std::move(core)), route_(route), id_(std::move(id)), started_(core_->clock.now()), sink_(std::move(sink)) {}

Exchange::~Exchange() {
  if (!sink_) return;
  if (!abandoned_) {  // else there is nobody left to answer
    core_->logger.error("a responder was dropped without an answer",
                        {{"plugin", route_.plugin}, {"route", route_.pattern}, {"request", id_.view()}});
  }
  finish(*sink_, http::Response::error(internal_error("The server gave no answer")));
}

bool Exchange::complete(http::Response response) {
  std::shared_ptr<ResponseSink> sink;
  std::vector<std::function<void()>> gone;
  {
    const std::lock_guard lock(mutex_);
    if (!sink_) return false;
    sink = std::exchange(sink_, nullptr);
    gone.swap(gone_);
  }
  finish(*sink, std::move(response));
  return true;
}

void Exchange::finish(ResponseSink& sink, http::Response response) {
  const Duration elapsed = core_->clock.now() - started_;
  if (parked_) core_->traffic.parked(-1);
  core_->traffic.answered(route_, response.status, elapsed);
  if (core_->logger.enabled(LogLevel::debug)) {
    core_->logger.debug("answered", {{"request", id_.view()},
                                     {"method", to_string(route_.method)},
                                     {"route", route_.pattern},
                                     {"status", response.status},
                                     {"bytes", response.body.size()},
                                     {"us", elapsed.count() / 1000}});
  }
  sink.respond(std::move(response));
}

bool Exchange::completed() const {
  const std::lock_guard lock(mutex_);
  return !sink_;
}

void Exchange::on_abandoned(std::function<void()> gone) {
  {
    const std::lock_guard lock(mutex_);
    if (!sink_) return;
    if (!abandoned_) {
      gone_.push_back(std::move(gone));
      return;
    }
  }
  gone();
}

void Exchange::abandon() {
  std::vector<std::function<void()>> gone;
  {
    const std::lock_guard lock(mutex_);
    if (!sink_ || abandoned_) return;
    abandoned_ = true;
    gone.swap(gone_);
  }
  for (const auto& callback : gone) {
    try {
      callback();
    } catch (...) {
      core_->logger.error("on_abandoned threw an exception", {{"plugin", route_.plugin}, {"request", id_.view()}});
    }
  }
}

void Exchange::park() {
  const std::lock_guard lock(mutex_);
  if (!sink_ || parked_) return;
  parked_ = true;
  core_->traffic.parked(1);
}

}  // namespace backplane::host
