// A certificate and its key, ready for connections. Asio's TLS stream keeps 34 KB of buffers for each connection, which
// is too much for ten thousand parked ones, so OpenSSL works on the sockets itself (http/transport.h).
//
// Immutable after load; any thread. Connections keep the context that they began with.
#pragma once

#include <memory>

#include "backplane/base/result.h"
#include "host/http/http_config.h"

struct ssl_ctx_st;
struct bio_method_st;

namespace backplane::host {

class TlsContext {
 public:
  /// Of a listener. Errors: invalid/bad_certificate, saying which file, what is wrong and what to do.
  static Result<std::shared_ptr<const TlsContext>> load(const TlsFiles& files);
  /// Of who calls others: they must show a certificate of `files.authority`, or of one that the system trusts when it
  /// is empty. With a certificate of its own the caller can be known, too. Errors as load.
  static Result<std::shared_ptr<const TlsContext>> load_for_calls(const TlsFiles& files);
  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  ssl_ctx_st* context() const { return context_; }
  bool calls() const { return calls_; }
  /// Of sockets that are written to without SIGPIPE.
  const bio_method_st* socket_method() const { return socket_method_; }

 private:
  TlsContext() = default;
  Result<void> begin(bool calls);
  Result<void> use(const TlsFiles& files);
  ssl_ctx_st* context_ = nullptr;
  bio_method_st* socket_method_ = nullptr;
  bool calls_ = false;
};

}  // namespace backplane::host
