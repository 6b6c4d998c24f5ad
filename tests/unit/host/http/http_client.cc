#include "unit/host/http/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

namespace backplane::host::test {

TestClient::TestClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval patience{10, 0};
  setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  if (connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) hang_up();
}

TestClient::~TestClient() { hang_up(); }

TestClient::TestClient(TestClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)), received_(std::move(other.received_)) {}

bool TestClient::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool TestClient::fill() {
  std::array<char, 65536> buffer{};
  errno = 0;  // the end of the stream sets none
  const ssize_t got = recv(socket_, buffer.data(), buffer.size(), 0);
  if (got <= 0) return false;
  received_.append(buffer.data(), static_cast<std::size_t>(got));
  return true;
}

Answer TestClient::receive(bool with_body) {
  std::size_t end = 0;
  while ((end = received_.find("\r\n\r\n")) == std::string::npos) {
    if (!fill()) return {};
  }
  Answer answer;
  answer.head = received_.substr(0, end + 2);
  received_.erase(0, end + 4);
  answer.status = std::stoi(answer.head.substr(9, 3));
  for (std::size_t line = answer.head.find("\r\n") + 2; line < answer.head.size();) {
    const std::size_t stop = answer.head.find("\r\n", line);
    const std::string text = answer.head.substr(line, stop - line);
    std::string name = text.substr(0, text.find(':'));
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    answer.headers[name] = text.substr(text.find(':') + 2);
    line = stop + 2;
  }
  const auto length = answer.headers.find("content-length");
  if (!with_body || length == answer.headers.end()) return answer;
  const std::size_t bytes = std::stoul(length->second);
  while (received_.size() < bytes) {
    if (!fill()) return {};
  }
  answer.body = received_.substr(0, bytes);
  received_.erase(0, bytes);
  return answer;
}

Answer TestClient::get(const std::string& path, const std::string& headers) {
  return request("GET", path, "", headers);
}

Answer TestClient::request(const std::string& method, const std::string& path, const std::string& body,
                           const std::string& headers) {
  std::string text = method + " " + path + " HTTP/1.1\r\nHost: test\r\n" + headers;
  if (!body.empty()) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  send(text + "\r\n" + body);
  return receive(method != "HEAD");
}

bool TestClient::ended() {
  while (received_.empty()) {
    if (!fill()) return errno != EAGAIN;
  }
  return false;
}

void TestClient::shutdown_write() { (void)::shutdown(socket_, SHUT_WR); }

void TestClient::hang_up() {
  if (socket_ >= 0) close(socket_);
  socket_ = -1;
}

}  // namespace backplane::host::test
