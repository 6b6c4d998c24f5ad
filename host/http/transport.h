// Bytes over a connected socket, plain or TLS, never blocking and never waiting: what cannot be done now says what it
// waits for, and the connection waits for that with the I/O thread's reactor. So a connection that waits holds no
// buffer, whether it is encrypted or not.
//
// One thread at a time. The socket belongs to somebody else and outlives it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "host/http/tls_context.h"

struct ssl_st;

namespace backplane::host {

enum class IoStatus : std::uint8_t {
  ok,
  want_read,   ///< try again when the socket can be read
  want_write,  ///< try again when it can be written
  closed,      ///< the peer sends no more
  failed,      ///< the connection is of no use any more
};

struct IoResult {
  IoStatus status;
  std::size_t bytes = 0;
};

class Transport {
 public:
  /// `tls` empty: plain. Of a context for callers, `peer` is the name that the other side's certificate must have.
  Transport(int socket, std::shared_ptr<const TlsContext> tls, const std::string& peer = {});
  ~Transport();
  Transport(const Transport&) = delete;
  Transport& operator=(const Transport&) = delete;

  bool encrypted() const { return tls_ != nullptr; }
  /// ok when there is nothing (more) to agree upon.
  IoResult handshake();
  IoResult read(std::span<char> into);
  /// Whether a read would answer something: ok, closed or failed without taking anything.
  IoResult peek();
  /// Both parts as one message; some of it may be left.
  IoResult write(std::string_view first, std::string_view second);
  /// Bytes that the socket does not show as readable, because they have been read into TLS already.
  bool has_buffered() const;
  /// Why the handshake failed, for people.
  const std::string& fault() const { return fault_; }
  /// Says that nothing more will be written.
  void shutdown_write();

 private:
  IoResult tls_result(int answer);

  const int socket_;
  const std::shared_ptr<const TlsContext> context_;
  ssl_st* tls_ = nullptr;
  std::string fault_;
};

}  // namespace backplane::host
