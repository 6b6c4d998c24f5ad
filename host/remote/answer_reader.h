// The answer to an HTTP/1.1 request, put together from the pieces in which it arrives. Knows what our own listener
// sends (http/response_writer.h): a head and a body of a stated length. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace backplane::host {

class AnswerReader {
 public:
  enum class Progress : std::uint8_t { more, done, bad };

  /// Takes the next bytes; `bad` when they are no answer. Nothing may follow an answer that is done.
  Progress feed(std::string_view bytes);
  /// Forgets everything, for the next answer of the connection.
  void clear() { *this = AnswerReader(); }

  bool begun() const { return begun_; }
  int status() const { return status_; }
  std::string& body() { return body_; }
  /// Whether the connection can be used again.
  bool keeps() const { return keeps_; }

 private:
  bool read_head(std::string_view head);
  bool read_field(std::string_view line);

  std::string head_;
  std::string body_;
  std::size_t body_length_ = 0;
  int status_ = 0;
  bool begun_ = false;
  bool has_length_ = false;
  bool in_body_ = false;
  bool keeps_ = true;
};

}  // namespace backplane::host
