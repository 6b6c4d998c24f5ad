// Takes new connections on one address and deals them out to the I/O threads in turn. Includes Asio: for the
// listener's own .cc files only. Everything but open() and the constructor on the I/O thread that it was given.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "host/http/connection.h"

namespace backplane::host {

class Acceptor {
 public:
  Acceptor(std::shared_ptr<ServerCore> core, const ListenerConfig& config, Dispatcher& dispatcher,
           std::vector<std::unique_ptr<IoThread>>& threads, std::size_t own_thread);

  /// Binds and listens. Errors as HttpServer::start.
  Result<void> open();
  /// Any thread. Errors: invalid/bad_certificate.
  Result<void> load_certificate();
  void accept();
  void close();

  IoThread& thread() { return own_; }
  std::uint16_t port() const { return port_; }
  const std::shared_ptr<ListenerState>& listener() const { return listener_; }

 private:
  void take(boost::asio::ip::tcp::socket socket, IoThread& target);
  void pause();
  std::shared_ptr<const TlsContext> tls() const;

  const std::shared_ptr<ServerCore> core_;
  const std::shared_ptr<ListenerState> listener_;
  Dispatcher& dispatcher_;
  std::vector<std::unique_ptr<IoThread>>& threads_;
  IoThread& own_;
  std::size_t next_;
  boost::asio::ip::tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  mutable std::mutex tls_mutex_;
  std::shared_ptr<const TlsContext> tls_;
};

}  // namespace backplane::host
