#include "host/http/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <string>

namespace backplane::host {
namespace {

int descriptor_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

// OpenSSL's own socket BIO writes with write(2), which kills a process that does not ignore SIGPIPE.
int bio_write(BIO* bio, const char* data, int length) {
  BIO_clear_retry_flags(bio);
  const ssize_t sent = send(descriptor_of(bio), data, static_cast<std::size_t>(length), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(sent);
}

int bio_read(BIO* bio, char* data, int length) {
  BIO_clear_retry_flags(bio);
  const ssize_t got = recv(descriptor_of(bio), data, static_cast<std::size_t>(length), MSG_DONTWAIT);
  if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  return static_cast<int>(got);
}

long bio_control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

std::string openssl_text() {
  std::array<char, 256> text{};
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  if (code == 0) return "unknown error";
  ERR_error_string_n(code, text.data(), text.size());
  return text.data();
}

Error fault(const std::string& file, const char* what, const char* fix) {
  return invalid("bad_certificate", std::string(what) + " " + file + ": " + openssl_text() + ". " + fix);
}

int choose_protocol(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                    unsigned int in_length, void*) {
  static constexpr unsigned char http_1_1[] = "\x08http/1.1";
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_length, http_1_1, sizeof http_1_1 - 1, in, in_length) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_NOACK;
  }
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

TlsContext::~TlsContext() {
  SSL_CTX_free(context_);
  BIO_meth_free(socket_method_);
}

Result<void> TlsContext::begin(bool calls) {
  ERR_clear_error();
  calls_ = calls;
  context_ = SSL_CTX_new(calls ? TLS_client_method() : TLS_server_method());
  socket_method_ = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "socket without SIGPIPE");
  if (context_ == nullptr || socket_method_ == nullptr) return internal_error("OpenSSL: " + openssl_text());
  BIO_meth_set_write(socket_method_, &bio_write);
  BIO_meth_set_read(socket_method_, &bio_read);
  BIO_meth_set_ctrl(socket_method_, &bio_control);
  BIO_meth_set_create(socket_method_, &bio_create);

  SSL_CTX_set_min_proto_version(context_, TLS1_2_VERSION);
  SSL_CTX_set_options(context_, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context_,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);  // tickets do; a cache is memory
  return {};
}

Result<void> TlsContext::use(const TlsFiles& files) {
  if (!files.certificate.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context_, files.certificate.c_str()) != 1) {
      return fault(files.certificate, "cannot use the TLS certificate",
                   "Give a PEM file with the chain, the server's certificate first");
    }
    if (SSL_CTX_use_PrivateKey_file(context_, files.private_key.c_str(), SSL_FILETYPE_PEM) != 1) {
      return fault(
          files.private_key, "cannot use the TLS private key",
          "Give a PEM file without a passphrase that the server may read, and that belongs to the certificate");
    }
    if (SSL_CTX_check_private_key(context_) != 1) {
      return fault(files.private_key, "the certificate does not belong to the TLS private key", "Give a matching pair");
    }
  }
  if (files.authority.empty()) return {};
  if (SSL_CTX_load_verify_locations(context_, files.authority.c_str(), nullptr) != 1) {
    return fault(files.authority, "cannot use the TLS authority",
                 "Give a PEM file with the certificates of the authorities that are trusted");
  }
  return {};
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsFiles& files) {
  const std::shared_ptr<TlsContext> made(new TlsContext);
  BACKPLANE_CHECK(made->begin(false));
  SSL_CTX_set_alpn_select_cb(made->context_, &choose_protocol, nullptr);
  BACKPLANE_CHECK(made->use(files));
  if (!files.authority.empty()) {
    SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
    // With client certificates OpenSSL resumes no session whose context has no name.
    constexpr unsigned char name[] = "backplane";
    SSL_CTX_set_session_id_context(made->context_, name, sizeof name - 1);
  }
  return std::shared_ptr<const TlsContext>(made);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load_for_calls(const TlsFiles& files) {
  const std::shared_ptr<TlsContext> made(new TlsContext);
  BACKPLANE_CHECK(made->begin(true));
  BACKPLANE_CHECK(made->use(files));
  if (files.authority.empty() && SSL_CTX_set_default_verify_paths(made->context_) != 1)
    return internal_error("OpenSSL: " + openssl_text());
  SSL_CTX_set_verify(made->context_, SSL_VERIFY_PEER, nullptr);
  return std::shared_ptr<const TlsContext>(made);
}

}  // namespace backplane::host
