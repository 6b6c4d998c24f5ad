#include "host/remote/answer_reader.h"

#include <algorithm>
#include <charconv>

namespace backplane::host {
namespace {

constexpr std::size_t max_head = 64 * 1024;
constexpr std::size_t max_body = 256 * 1024 * 1024;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, [&](char x, char y) { return lower(x) == lower(y); });
}

template <class Number>
bool read_number(std::string_view text, Number& out) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc() && end == text.data() + text.size();
}

}  // namespace

AnswerReader::Progress AnswerReader::feed(std::string_view bytes) {
  begun_ = begun_ || !bytes.empty();
  while (!in_body_) {
    // The end of the head may lie across two pieces.
    const std::size_t look_from = head_.size() < 3 ? 0 : head_.size() - 3;
    const std::size_t had = head_.size();
    head_.append(bytes);
    const std::size_t end = head_.find("\r\n\r\n", look_from);
    if (end == std::string::npos) return head_.size() > max_head ? Progress::bad : Progress::more;
    bytes.remove_prefix(end + 4 - had);
    head_.resize(end);
    if (end > max_head || !read_head(head_)) return Progress::bad;
    head_.clear();
    if (status_ < 200) continue;  // 100 Continue and the like: the answer is yet to come
    if (!has_length_ && status_ != 204 && status_ != 304) return Progress::bad;
    in_body_ = true;
    body_.reserve(body_length_);
  }
  if (bytes.size() > body_length_ - body_.size()) return Progress::bad;
  body_.append(bytes);
  return body_.size() == body_length_ ? Progress::done : Progress::more;
}

bool AnswerReader::read_head(std::string_view head) {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  if (line.size() < 12 || !line.starts_with("HTTP/1.") || line[8] != ' ' || !read_number(line.substr(9, 3), status_))
    return false;
  keeps_ = line[7] != '0';
  head.remove_prefix(line.size());
  while (head.starts_with("\r\n")) {
    head.remove_prefix(2);
    const std::string_view field = head.substr(0, head.find("\r\n"));
    if (!read_field(field)) return false;
    head.remove_prefix(field.size());
  }
  return true;
}

bool AnswerReader::read_field(std::string_view line) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos) return false;
  const std::string_view name = line.substr(0, colon), value = trimmed(line.substr(colon + 1));
  if (same_word(name, "connection")) keeps_ = keeps_ && !same_word(value, "close");
  if (same_word(name, "transfer-encoding")) return false;  // our listener does not
  if (!same_word(name, "content-length")) return true;
  has_length_ = true;
  return read_number(value, body_length_) && body_length_ <= max_body;
}

}  // namespace backplane::host
