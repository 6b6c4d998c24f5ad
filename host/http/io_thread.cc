#include "host/http/io_thread.h"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <exception>
#include <string>
#include <vector>

#include "host/http/connection.h"

namespace backplane::host {
namespace {

Duration tick_for(const HttpConfig& config) {
  const Duration shortest =
      std::min({config.idle_timeout, config.header_timeout, config.body_timeout, config.write_timeout});
  return std::clamp<Duration>(shortest / 8, std::chrono::milliseconds(10), std::chrono::seconds(1));
}

}  // namespace

IoThread::IoThread(std::shared_ptr<ServerCore> core, std::size_t index)
    : core_(std::move(core)), index_(index), tick_interval_(tick_for(core_->config)) {}

IoThread::~IoThread() { stop(); }

void IoThread::start() {
  sweep();
  thread_ = std::thread([this] {
    for (;;) {
      try {
        context_.run();
        return;
      } catch (const std::exception& e) {
        core_->logger.error("an I/O handler threw an exception", {{"what", e.what()}});
      }
    }
  });
  pthread_setname_np(thread_.native_handle(), ("io-" + std::to_string(index_)).c_str());
}

void IoThread::stop() {
  if (!thread_.joinable()) return;
  boost::asio::post(context_, [this] {
    stopping_ = true;  // a tick that has expired already cannot be cancelled any more
    tick_.cancel();
    visit_all([](Connection& connection) { connection.close(); });
    guard_.reset();
  });
  thread_.join();
}

void IoThread::for_each(std::function<void(Connection&)> visit) {
  boost::asio::post(context_, [this, visit = std::move(visit)] { visit_all(visit); });
}

void IoThread::hurry() {
  boost::asio::post(context_, [this] {
    tick_interval_ = std::min<Duration>(tick_interval_, std::chrono::milliseconds(50));
    if (!stopping_) sweep();  // in the place of the tick that is waited for
  });
}

void IoThread::visit_all(const std::function<void(Connection&)>& visit) {
  // A visit may close its connection, which then leaves the list.
  for (auto it = connections_.begin(); it != connections_.end();) {
    const std::shared_ptr<Connection> connection = *it++;
    visit(*connection);
  }
}

IoThread::Connections::iterator IoThread::add(std::shared_ptr<Connection> connection) {
  return connections_.insert(connections_.end(), std::move(connection));
}

void IoThread::sweep() {
  // The tick is the system's, what it compares with is the server's clock: a test that moves that clock needs to wait
  // for one tick only.
  tick_.expires_after(tick_interval_);
  tick_.async_wait([this](const boost::system::error_code& cancelled) {
    if (cancelled || stopping_) return;
    const Instant now = core_->clock.now();
    visit_all([now](Connection& connection) { connection.expire(now); });
    sweep();
  });
}

}  // namespace backplane::host
