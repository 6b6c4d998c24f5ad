#include "host/remote/call_loop.h"

#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <system_error>
#include <utility>

namespace backplane::host {

CallLoop::CallLoop(Clock& clock, Logger logger) : clock_(clock), logger_(std::move(logger)) {
  epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  wake_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = 0;  // tickets begin with 1
  if (epoll_ < 0 || wake_ < 0 || ::epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_, &event) != 0)
    throw std::system_error(errno, std::generic_category(), "a loop for calls to other hosts");
}

CallLoop::~CallLoop() {
  stop();
  ::close(epoll_);
  ::close(wake_);
}

bool CallLoop::post(Work work) {
  const std::lock_guard lock(mutex_);
  if (stopping_) return false;
  posted_.push_back(std::move(work));
  if (!thread_.joinable()) {
    thread_ = std::thread([this] { run(); });
    pthread_setname_np(thread_.native_handle(), "calls");
  }
  const std::uint64_t one = 1;
  (void)!::write(wake_, &one, sizeof one);
  return true;
}

CallLoop::Ticket CallLoop::drive(std::unique_ptr<CallConnection> connection, Instant connect_by, Instant deadline,
                                 Done done) {
  // std::function copies what it holds, so the connection travels by a shared pointer.
  auto exchange =
      std::make_shared<Exchange>(Exchange{std::move(connection), connect_by, deadline, std::move(done), -1, {}});
  Ticket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    ticket = ++last_ticket_;
  }
  const bool taken = post([this, ticket, exchange] {
    Exchange& mine = exchanges_.emplace(ticket, std::move(*exchange)).first->second;
    mine.due = due_.emplace(std::min(mine.connect_by, mine.deadline), ticket);
    advance(ticket, mine);
  });
  if (!taken) exchange->done(std::move(exchange->connection), End::cancelled);
  return ticket;
}

void CallLoop::cancel(Ticket ticket) {
  (void)post([this, ticket] { end(ticket, End::cancelled); });
}

void CallLoop::at(Instant when, Work work) {
  const auto shared = std::make_shared<Work>(std::move(work));
  if (!post([this, when, shared] { timers_.emplace(when, std::move(*shared)); })) (*shared)();
}

void CallLoop::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    if (!thread_.joinable()) return;
    const std::uint64_t one = 1;
    (void)!::write(wake_, &one, sizeof one);
  }
  thread_.join();
}

void CallLoop::run() {
  std::array<epoll_event, 64> events;
  for (;;) {
    std::vector<Work> posted;
    bool stopping = false;
    {
      const std::lock_guard lock(mutex_);
      posted.swap(posted_);
      stopping = stopping_;
    }
    for (const Work& work : posted) call(work);
    if (stopping) break;
    end_what_is_late();
    const int count = ::epoll_wait(epoll_, events.data(), events.size(), wait_ms());
    for (int i = 0; i < count; ++i) {
      const Ticket ticket = events[static_cast<std::size_t>(i)].data.u64;
      if (ticket == 0) {
        std::uint64_t count_of_wakes = 0;
        (void)!::read(wake_, &count_of_wakes, sizeof count_of_wakes);
      } else if (const auto found = exchanges_.find(ticket); found != exchanges_.end()) {
        advance(ticket, found->second);
      }
    }
  }
  while (!exchanges_.empty()) end(exchanges_.begin()->first, End::cancelled);
  for (auto timers = std::exchange(timers_, {}); const auto& [when, work] : timers) call(work);
}

void CallLoop::advance(Ticket ticket, Exchange& exchange) {
  switch (const IoStatus status = exchange.connection->advance(); status) {
    case IoStatus::ok: return end(ticket, End::answered);
    case IoStatus::want_read:
    case IoStatus::want_write: return watch(ticket, exchange, status);
    default: return end(ticket, End::failed);
  }
}

void CallLoop::watch(Ticket ticket, Exchange& exchange, IoStatus status) const {
  epoll_event event{};
  event.events = status == IoStatus::want_read ? EPOLLIN : EPOLLOUT;
  event.data.u64 = ticket;
  // A connection that tries its next address has another socket, often of the same number: closing the old one took
  // it out of the set, so MOD may find nothing.
  const int socket = exchange.connection->socket();
  if (exchange.registered == socket && ::epoll_ctl(epoll_, EPOLL_CTL_MOD, socket, &event) == 0) return;
  exchange.registered = socket;
  (void)::epoll_ctl(epoll_, EPOLL_CTL_ADD, socket, &event);
}

void CallLoop::end(Ticket ticket, End how) {
  const auto found = exchanges_.find(ticket);
  if (found == exchanges_.end()) return;
  Exchange exchange = std::move(found->second);
  exchanges_.erase(found);
  due_.erase(exchange.due);
  // A socket that was closed meanwhile has left the set by itself, and its number may be another's by now.
  if (exchange.registered >= 0 && exchange.registered == exchange.connection->socket())
    (void)::epoll_ctl(epoll_, EPOLL_CTL_DEL, exchange.registered, nullptr);
  call([&] { exchange.done(std::move(exchange.connection), how); });
}

void CallLoop::look_after(Ticket ticket, Exchange& exchange, Instant now) {
  if (now >= exchange.deadline || !exchange.connection->connected()) return end(ticket, End::too_late);
  due_.erase(exchange.due);
  exchange.due = due_.emplace(exchange.deadline, ticket);
}

void CallLoop::end_what_is_late() {
  const Instant now = clock_.now();
  while (!due_.empty() && due_.begin()->first <= now) {
    const Ticket ticket = due_.begin()->second;
    look_after(ticket, exchanges_.at(ticket), now);
  }
  while (!timers_.empty() && timers_.begin()->first <= now) {
    const auto timer = timers_.extract(timers_.begin());
    call(timer.mapped());
  }
}

int CallLoop::wait_ms() const {
  constexpr Duration longest = std::chrono::seconds(60);
  const Instant now = clock_.now();
  Instant next = now + longest;
  if (!timers_.empty()) next = std::min(next, timers_.begin()->first);
  if (!due_.empty()) next = std::min(next, due_.begin()->first);
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(std::max(next - now, Duration::zero()));
  return static_cast<int>(left.count());
}

void CallLoop::call(const Work& work) const {
  try {
    work();
  } catch (const std::exception& e) {
    logger_.error("what follows a call to another host threw an exception", {{"what", e.what()}});
  }
}

}  // namespace backplane::host
