#include "host/remote/call_connection.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace backplane::host {

CallConnection::CallConnection(std::shared_ptr<const SocketAddresses> addresses, std::shared_ptr<const TlsContext> tls,
                               std::string name)
    : addresses_(std::move(addresses)), tls_(std::move(tls)), name_(std::move(name)) {}

CallConnection::~CallConnection() { close_socket(); }

void CallConnection::close_socket() {
  transport_.reset();
  if (socket_ >= 0) ::close(std::exchange(socket_, -1));
}

void CallConnection::begin(std::string message) {
  message_ = std::move(message);
  written_ = 0;
  reader_.clear();
  if (state_ == State::idle) state_ = State::writing;
}

IoStatus CallConnection::fail(std::string why) {
  state_ = State::broken;
  why_ = std::move(why);
  return IoStatus::failed;
}

IoStatus CallConnection::advance() {
  for (;;) {
    IoStatus status = IoStatus::ok;
    switch (state_) {
      case State::fresh: status = open_next(); break;
      case State::connecting: status = finish_connect(); break;
      case State::handshaking:
        status = transport_->handshake().status;
        if (status == IoStatus::ok) state_ = State::writing;
        else if (status != IoStatus::want_read && status != IoStatus::want_write)
          return fail("no TLS connection: " + transport_->fault());
        break;
      case State::writing: status = write(); break;
      case State::reading: status = read(); break;
      case State::idle: return IoStatus::ok;
      case State::broken: return IoStatus::failed;
    }
    if (status != IoStatus::ok) return status;
  }
}

IoStatus CallConnection::open_next() {
  close_socket();
  if (next_address_ == addresses_->size()) return fail(why_.empty() ? "its name has no address" : why_);
  const SocketAddress& address = (*addresses_)[next_address_++];
  socket_ = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (socket_ < 0) return fail(std::strerror(errno));
  const int on = 1;  // requests are small and each waits for its answer
  (void)::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const int connected = ::connect(socket_, reinterpret_cast<const sockaddr*>(&address.storage), address.length);
  if (connected != 0 && errno != EINPROGRESS) {
    why_ = std::strerror(errno);
    return IoStatus::ok;  // still fresh: the next address
  }
  state_ = State::connecting;
  return connected == 0 ? IoStatus::ok : IoStatus::want_write;
}

IoStatus CallConnection::finish_connect() {
  pollfd ready{socket_, POLLOUT, 0};
  if (::poll(&ready, 1, 0) == 0) return IoStatus::want_write;
  int fault = 0;
  socklen_t length = sizeof fault;
  (void)::getsockopt(socket_, SOL_SOCKET, SO_ERROR, &fault, &length);
  if (fault != 0) {
    why_ = std::strerror(fault);
    state_ = State::fresh;
    return IoStatus::ok;
  }
  transport_.emplace(socket_, tls_, name_);
  state_ = tls_ ? State::handshaking : State::writing;
  return IoStatus::ok;
}

IoStatus CallConnection::write() {
  while (written_ < message_.size()) {
    const IoResult result = transport_->write(std::string_view(message_).substr(written_), {});
    if (result.status == IoStatus::want_read || result.status == IoStatus::want_write) return result.status;
    if (result.status != IoStatus::ok) return fail("it closed the connection");
    written_ += result.bytes;
  }
  state_ = State::reading;
  return IoStatus::ok;
}

IoStatus CallConnection::read() {
  std::array<char, 16 * 1024> buffer;
  const IoResult result = transport_->read(buffer);
  if (result.status == IoStatus::want_read || result.status == IoStatus::want_write) return result.status;
  if (result.status != IoStatus::ok)
    return fail(reader_.begun() ? "it broke off in its answer" : "it closed the connection without an answer");
  switch (reader_.feed({buffer.data(), result.bytes})) {
    case AnswerReader::Progress::more: break;
    case AnswerReader::Progress::bad: return fail("what it answers is no answer of a Backplane host");
    case AnswerReader::Progress::done: state_ = State::idle; break;
  }
  return IoStatus::ok;
}

}  // namespace backplane::host
