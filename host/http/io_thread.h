// One thread that waits for sockets: an io_context of its own (measured: a fifth less CPU a request than a shared one),
// the connections that live on it, and a tick that closes those whose time is up. Includes Asio: for the listener's
// own .cc files only.
#pragma once

#include <array>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <thread>

#include "host/http/server_core.h"

namespace backplane::host {

class Connection;

class IoThread {
 public:
  using Connections = std::list<std::shared_ptr<Connection>>;

  IoThread(std::shared_ptr<ServerCore> core, std::size_t index);
  ~IoThread();

  boost::asio::io_context& context() { return context_; }
  void start();
  /// Closes every connection, runs what is posted, and ends the thread. What listens on it must be closed before.
  void stop();
  /// Runs `visit` on the thread, for every connection.
  void for_each(std::function<void(Connection&)> visit);
  /// From now on looks often whether a connection's time is up: somebody waits for the last one.
  void hurry();

  // On the thread only:
  std::span<char> scratch() { return {scratch_->data(), scratch_->size()}; }
  Connections::iterator add(std::shared_ptr<Connection> connection);
  void remove(Connections::iterator place) { connections_.erase(place); }

 private:
  using Scratch = std::array<char, 64 * 1024>;
  void sweep();
  void visit_all(const std::function<void(Connection&)>& visit);

  const std::shared_ptr<ServerCore> core_;
  const std::size_t index_;
  boost::asio::io_context context_{1};
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard_{context_.get_executor()};
  boost::asio::steady_timer tick_{context_};
  Duration tick_interval_;  ///< on the thread only
  const std::unique_ptr<Scratch> scratch_ = std::make_unique<Scratch>();
  Connections connections_;
  bool stopping_ = false;  ///< on the thread only
  std::thread thread_;
};

}  // namespace backplane::host
