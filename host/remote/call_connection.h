// One connection to another host and the exchange on it, as steps that never block: so that a calling thread can wait
// for it by poll() and one thread for hundreds of them by epoll (call_loop.h). One thread at a time.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "host/http/transport.h"
#include "host/remote/answer_reader.h"

namespace backplane::host {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t length = 0;
};
using SocketAddresses = std::vector<SocketAddress>;

class CallConnection {
 public:
  /// Not connected yet: begin() does that. `tls` empty: plain; else `name` is what the certificate must be for.
  CallConnection(std::shared_ptr<const SocketAddresses> addresses, std::shared_ptr<const TlsContext> tls,
                 std::string name);
  ~CallConnection();
  CallConnection(const CallConnection&) = delete;
  CallConnection& operator=(const CallConnection&) = delete;

  /// Starts an exchange; the answer to the last one has been taken.
  void begin(std::string message);
  /// Goes on as far as it can: ok when the answer is there, failed (with why()), or what it waits for.
  IoStatus advance();
  /// Of the present attempt to connect: it may be another after advance().
  int socket() const { return socket_; }
  bool connected() const { return state_ > State::handshaking; }
  /// Whether any of the request may have reached the other host.
  bool sent() const { return written_ > 0; }
  const std::string& why() const { return why_; }

  int status() const { return reader_.status(); }
  std::string take_body() { return std::move(reader_.body()); }
  /// Whether another exchange can follow this one, as far as the answer says.
  bool keeps() const { return state_ == State::idle && reader_.keeps(); }
  /// Between exchanges: whether the other side has closed it, or said what nobody asked.
  bool stale() { return transport_->peek().status != IoStatus::want_read; }

 private:
  enum class State : std::uint8_t { fresh, connecting, handshaking, writing, reading, idle, broken };

  IoStatus open_next();
  IoStatus finish_connect();
  IoStatus write();
  IoStatus read();
  IoStatus fail(std::string why);
  void close_socket();

  const std::shared_ptr<const SocketAddresses> addresses_;
  const std::shared_ptr<const TlsContext> tls_;
  const std::string name_;
  State state_ = State::fresh;
  int socket_ = -1;
  std::size_t next_address_ = 0;
  std::optional<Transport> transport_;
  std::string message_;
  std::size_t written_ = 0;
  AnswerReader reader_;
  std::string why_;
};

}  // namespace backplane::host
