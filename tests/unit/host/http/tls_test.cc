#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>
#include <unistd.h>

#include <filesystem>

#include "unit/host/http/test_server.h"

namespace backplane::host::test {
namespace {

/// A self-signed certificate for the name, and its key.
void write_certificate(const TlsFiles& files, const char* name) {
  EVP_PKEY* const key = EVP_EC_gen("P-256");
  X509* const certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_NAME* const subject = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  X509_set_issuer_name(certificate, subject);
  X509_set_pubkey(certificate, key);
  X509_sign(certificate, key, EVP_sha256());
  FILE* file = std::fopen(files.certificate.c_str(), "w");
  PEM_write_X509(file, certificate);
  std::fclose(file);
  file = std::fopen(files.private_key.c_str(), "w");
  PEM_write_PrivateKey(file, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

class TlsClient {
 public:
  explicit TlsClient(std::uint16_t port)
      : socket_(::socket(AF_INET, SOCK_STREAM, 0)), context_(SSL_CTX_new(TLS_client_method())) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    tls_ = SSL_new(context_);
    SSL_set_fd(tls_, socket_);
    connected = SSL_connect(tls_) == 1;
  }
  ~TlsClient() {
    SSL_free(tls_);
    SSL_CTX_free(context_);
    close(socket_);
  }
  TlsClient(const TlsClient&) = delete;

  std::string name_of_server() const {
    X509* const certificate = SSL_get1_peer_certificate(tls_);
    char name[64] = "";
    X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName, name, sizeof name);
    X509_free(certificate);
    return name;
  }
  void send(const std::string& text) { SSL_write(tls_, text.data(), static_cast<int>(text.size())); }
  /// Everything up to a text.
  std::string receive_until(const std::string& end) {
    std::string out;
    char buffer[16384];
    while (out.find(end) == std::string::npos) {
      const int got = SSL_read(tls_, buffer, sizeof buffer);
      if (got <= 0) break;
      out.append(buffer, static_cast<std::size_t>(got));
    }
    return out;
  }
  bool connected = false;

 private:
  int socket_;
  SSL_CTX* context_;
  SSL* tls_ = nullptr;
};

class TlsTest : public HttpServerTest {
 protected:
  TlsTest() {
    char pattern[] = "/tmp/backplane_tls_XXXXXX";
    folder_ = mkdtemp(pattern);
    files_ = {folder_ + "/cert.pem", folder_ + "/key.pem"};
    config.listeners[0].tls = files_;
  }
  ~TlsTest() override { std::filesystem::remove_all(folder_); }
  std::string folder_;
  TlsFiles files_;
};

TEST_F(TlsTest, HandshakeKeepAliveAndLargeBodies) {
  write_certificate(files_, "one");
  route(http::Method::put, "/echo",
        [](const http::Request& request) { return http::Response::text("x/y", request.body + "END"); });
  start();
  TlsClient client(server().port());
  ASSERT_TRUE(client.connected);
  EXPECT_EQ(client.name_of_server(), "one");
  const std::string body(150'000, 'z');
  for (int i = 0; i < 2; ++i) {
    client.send("PUT /echo HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    const std::string answer = client.receive_until("END");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK"));
    EXPECT_TRUE(answer.ends_with("\r\n\r\n" + body + "END"));
  }
  // Two requests in one record.
  client.send("PUT /echo HTTP/1.1\r\nHost: x\r\n\r\nPUT /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string both = client.receive_until("never");
  EXPECT_NE(both.find("END", both.find("END") + 1), std::string::npos);
}

TEST_F(TlsTest, ParkedRequestsSeeTheClientGo) {
  write_certificate(files_, "one");
  std::atomic<bool> gone = false;
  std::optional<http::Responder> kept;
  std::atomic<bool> parked = false;
  parking("/sync", [&](const http::Request&, const http::Responder& responder) {
    responder.on_abandoned([&gone] { gone = true; });
    kept = responder;
    parked = true;
  });
  start();
  {
    TlsClient client(server().port());
    client.send("GET /sync HTTP/1.1\r\nHost: x\r\n\r\n");
    ASSERT_TRUE(eventually([&parked] { return parked.load(); }));
    EXPECT_FALSE(gone);
  }
  EXPECT_TRUE(eventually([&gone] { return gone.load(); }));
}

TEST_F(TlsTest, ReloadsForNewConnections) {
  write_certificate(files_, "old");
  route(http::Method::get, "/", says("\"END\""));
  start();
  TlsClient before(server().port());
  write_certificate(files_, "new");
  ASSERT_TRUE(server().reload_certificates());
  TlsClient after(server().port());
  EXPECT_EQ(before.name_of_server(), "old");
  EXPECT_EQ(after.name_of_server(), "new");
  before.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_NE(before.receive_until("END").find("200 OK"), std::string::npos);
  std::filesystem::resize_file(files_.certificate, 10);
  const auto broken = server().reload_certificates();
  ASSERT_FALSE(broken);
  EXPECT_EQ(broken.error().reason, "bad_certificate");
  EXPECT_NE(broken.error().text.find(files_.certificate), std::string::npos);
  EXPECT_EQ(TlsClient(server().port()).name_of_server(), "new");
}

TEST_F(TlsTest, AMissingOrWrongKeyStopsTheStart) {
  EXPECT_EQ(server().start().error().reason, "bad_certificate");
  write_certificate(files_, "one");
  const TlsFiles other{folder_ + "/other.pem", folder_ + "/other_key.pem"};
  write_certificate(other, "two");
  config.listeners[0].tls = TlsFiles{files_.certificate, other.private_key};
  HttpServer mixed(config, *clock, system_random(), metrics.view("http"), log.logger("http"));
  const auto started = mixed.start();
  ASSERT_FALSE(started);
  EXPECT_EQ(started.error().reason, "bad_certificate");
}

TEST_F(TlsTest, PlainTextOnATlsPortIsCutOff) {
  write_certificate(files_, "one");
  start();
  TestClient plain = client();
  plain.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  plain.receive();
  EXPECT_TRUE(eventually([this] { return server().connections() == 0; }));
}

}  // namespace
}  // namespace backplane::host::test
