// A plain HTTP client for tests, near enough to the bytes to be rude with them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace backplane::host::test {

struct Answer {
  int status = 0;  ///< 0: the connection ended
  std::string head;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
};

class TestClient {
 public:
  explicit TestClient(std::uint16_t port);
  ~TestClient();
  TestClient(TestClient&& other) noexcept;
  TestClient(const TestClient&) = delete;

  bool connected() const { return socket_ >= 0; }
  /// Whether the connection took all of it.
  bool send(std::string_view bytes);
  /// The next answer; `with_body` false for one to HEAD. Gives up after ten seconds.
  Answer receive(bool with_body = true);
  Answer get(const std::string& path, const std::string& headers = "");
  Answer request(const std::string& method, const std::string& path, const std::string& body,
                 const std::string& headers = "");
  /// Whether the server has ended the connection; waits for it.
  bool ended();
  void shutdown_write();
  /// Ends the connection at once.
  void hang_up();

 private:
  bool fill();
  int socket_ = -1;
  std::string received_;
};

}  // namespace backplane::host::test
