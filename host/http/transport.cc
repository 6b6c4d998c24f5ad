#include "host/http/transport.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <limits>
#include <utility>

namespace backplane::host {
namespace {

/// As much of a message as goes into one call of OpenSSL.
constexpr std::size_t tls_piece = 1 << 20;

IoResult of_error(IoStatus when_busy) {
  return {errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? when_busy : IoStatus::failed};
}

}  // namespace

Transport::Transport(int socket, std::shared_ptr<const TlsContext> tls, const std::string& peer)
    : socket_(socket), context_(std::move(tls)) {
  if (!context_) return;
  tls_ = SSL_new(context_->context());
  BIO* const bio = BIO_new(context_->socket_method());
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  SSL_set_bio(tls_, bio, bio);
  if (!context_->calls()) {
    SSL_set_accept_state(tls_);
    return;
  }
  SSL_set_connect_state(tls_);
  X509_VERIFY_PARAM* const rules = SSL_get0_param(tls_);
  if (X509_VERIFY_PARAM_set1_ip_asc(rules, peer.c_str()) == 1) return;  // an address; it is not sent as a name
  ERR_clear_error();
  (void)X509_VERIFY_PARAM_set1_host(rules, peer.c_str(), peer.size());
  (void)SSL_set_tlsext_host_name(tls_, peer.c_str());
}

Transport::~Transport() { SSL_free(tls_); }

IoResult Transport::tls_result(int answer) {
  if (answer > 0) return {IoStatus::ok, static_cast<std::size_t>(answer)};
  const int fault = SSL_get_error(tls_, answer);
  ERR_clear_error();
  switch (fault) {
    case SSL_ERROR_WANT_READ: return {IoStatus::want_read};
    case SSL_ERROR_WANT_WRITE: return {IoStatus::want_write};
    case SSL_ERROR_ZERO_RETURN: return {IoStatus::closed};
    default: return {IoStatus::failed};
  }
}

IoResult Transport::handshake() {
  if (tls_ == nullptr || SSL_is_init_finished(tls_) != 0) return {IoStatus::ok};
  ERR_clear_error();
  const int answer = SSL_do_handshake(tls_);
  if (answer <= 0 && SSL_get_verify_result(tls_) != X509_V_OK) {
    fault_ = X509_verify_cert_error_string(SSL_get_verify_result(tls_));
  } else if (const char* reason = ERR_reason_error_string(ERR_peek_error()); answer <= 0 && reason != nullptr) {
    fault_ = reason;
  }
  return tls_result(answer);
}

IoResult Transport::read(std::span<char> into) {
  if (tls_ != nullptr) {
    ERR_clear_error();
    return tls_result(SSL_read(tls_, into.data(), static_cast<int>(std::min(into.size(), tls_piece))));
  }
  const ssize_t got = recv(socket_, into.data(), into.size(), MSG_DONTWAIT);
  if (got < 0) return of_error(IoStatus::want_read);
  if (got == 0) return {IoStatus::closed};
  return {IoStatus::ok, static_cast<std::size_t>(got)};
}

IoResult Transport::peek() {
  char byte = 0;
  if (tls_ != nullptr) {
    ERR_clear_error();
    return tls_result(SSL_peek(tls_, &byte, 1));
  }
  const ssize_t got = recv(socket_, &byte, 1, MSG_DONTWAIT | MSG_PEEK);
  if (got < 0) return of_error(IoStatus::want_read);
  return {got == 0 ? IoStatus::closed : IoStatus::ok, 0};
}

IoResult Transport::write(std::string_view first, std::string_view second) {
  if (tls_ != nullptr) {
    const std::string_view piece = first.empty() ? second : first;
    if (piece.empty()) return {IoStatus::ok, 0};
    ERR_clear_error();
    return tls_result(SSL_write(tls_, piece.data(), static_cast<int>(std::min(piece.size(), tls_piece))));
  }
  std::array<iovec, 2> parts{iovec{const_cast<char*>(first.data()), first.size()},
                             iovec{const_cast<char*>(second.data()), second.size()}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = second.empty() ? 1 : 2;
  const ssize_t sent = sendmsg(socket_, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0) return of_error(IoStatus::want_write);
  return {IoStatus::ok, static_cast<std::size_t>(sent)};
}

bool Transport::has_buffered() const { return tls_ != nullptr && SSL_has_pending(tls_) != 0; }

void Transport::shutdown_write() {
  if (tls_ != nullptr && SSL_is_init_finished(tls_) != 0) {
    ERR_clear_error();
    (void)SSL_shutdown(tls_);
    ERR_clear_error();
  }
  (void)::shutdown(socket_, SHUT_WR);
}

}  // namespace backplane::host
