#include "host/http/request_parser.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/verb.hpp>
#include <utility>

namespace backplane::host {
namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;

// Both were the plain namespace's string_view in other versions of Boost: one conversion for all.
std::string_view plain(boost::beast::string_view text) { return {text.data(), text.size()}; }

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_word(std::string_view text, std::string_view lower_case) {
  return std::ranges::equal(text, lower_case, [](char a, char b) { return lower(a) == b; });
}

}  // namespace

class RequestParser::Parser final : public beast_http::basic_parser<true> {
 public:
  explicit Parser(const ParserLimits& limits) : limits_(limits) {
    header_limit(static_cast<std::uint32_t>(limits.header_bytes));
    body_limit(boost::none);  // checked here, against the route's
    eager(false);
  }

  Status feed(std::string_view data, std::size_t& used) {
    used = 0;
    if (failed_) return Status::failed;
    const bool in_header = !is_header_done();
    error_code fault;
    if (!is_done()) used = put(boost::asio::const_buffer(data.data(), data.size()), fault);
    if (in_header) header_bytes_ += used;
    if (!fault || fault == beast_http::error::need_more) {
      const std::size_t left = data.size() - used;
      if (in_header && header_bytes_ + (is_header_done() ? 0 : left) > limits_.header_bytes) {
        fault = beast_http::error::header_limit;
      } else if (!in_header && !is_done() && left > limits_.header_bytes) {
        fault = beast_http::error::bad_chunk_extension;  // trailers and chunk extensions have no limit in Beast
      }
    }
    if (fault && fault != beast_http::error::need_more) return fail(fault);
    if (in_header && is_header_done()) return check_header() ? Status::header_done : Status::failed;
    return is_done() ? Status::done : Status::need_more;
  }

  void accept_body(std::size_t limit, bool keep) {
    limit_ = limit;
    keep_ = keep;
    eager(true);
  }

  ParserLimits limits_;
  http::Request request_;
  Error error_;
  bool method_known_ = false;
  bool http_1_0_ = false;
  bool expects_continue_ = false;

 private:
  Status fail(error_code fault) {
    failed_ = true;
    if (!error_.text.empty()) return Status::failed;  // said already
    if (fault == beast_http::error::header_limit) {
      error_ = seen_target_ ? invalid("headers_too_large", "The request's header is too large")
                            : invalid("uri_too_long", "The request's path is too long");
    } else {
      error_ = invalid("bad_request", "The request is no HTTP/1.1: " + fault.message());
    }
    return Status::failed;
  }

  bool refuse(Error error, error_code& fault) {
    if (error_.text.empty()) error_ = std::move(error);
    fault = beast_http::error::bad_value;
    return false;
  }

  bool check_header() {
    error_code fault;
    if (hosts_ > 1 || (hosts_ == 0 && !http_1_0_))
      refuse(invalid("bad_request", "The request needs one Host header"), fault);
    // A body whose end others on the way may see elsewhere is how requests are smuggled.
    if (other_encoding_)
      refuse(Error(ErrorCode::invalid, "not_implemented", "Only chunked bodies are understood"), fault);
    if (chunked() && http_1_0_) refuse(invalid("bad_request", "HTTP/1.0 has no chunked bodies"), fault);
    if (fault) fail(fault);
    return !failed_;
  }

  void on_request_impl(beast_http::verb, boost::beast::string_view method, boost::beast::string_view target,
                       int version, error_code& fault) override {
    seen_target_ = true;
    if (target.size() > limits_.uri_bytes) {
      refuse(invalid("uri_too_long", "The request's path is too long"), fault);
      return;
    }
    if (const auto known = http::method_from(plain(method))) {
      request_.method = *known;
      method_known_ = true;
    }
    http_1_0_ = version < 11;
    std::string_view path = plain(target);
    // RFC 9112, 3.2.2: a server must understand the absolute form.
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (!path.starts_with(scheme)) continue;
      const std::size_t slash = path.find('/', scheme.size());
      path = slash == std::string_view::npos ? "/" : path.substr(slash);
    }
    path = path.substr(0, path.find('#'));
    const std::size_t question = path.find('?');
    request_.path = path.substr(0, question);
    if (question != std::string_view::npos) request_.raw_query = path.substr(question + 1);
  }

  void on_field_impl(beast_http::field field, boost::beast::string_view name, boost::beast::string_view value,
                     error_code& fault) override {
    if (is_header_done()) return;  // a trailer
    if (request_.headers.size() >= limits_.headers) {
      refuse(invalid("headers_too_large", "The request has too many headers"), fault);
      return;
    }
    if (field == beast_http::field::host) ++hosts_;
    if (field == beast_http::field::transfer_encoding && !same_word(plain(value), "chunked")) other_encoding_ = true;
    if (field == beast_http::field::expect && same_word(plain(value), "100-continue")) expects_continue_ = true;
    http::NameValue& header = request_.headers.emplace_back();
    header.name.resize(name.size());
    std::ranges::transform(plain(name), header.name.begin(), lower);
    header.value = plain(value);
  }

  void on_header_impl(error_code&) override {}

  void on_body_init_impl(boost::optional<std::uint64_t> const& length, error_code&) override {
    constexpr std::uint64_t first = 64 * 1024;  // what is only announced takes no memory
    if (keep_ && length) request_.body.reserve(static_cast<std::size_t>(std::min(*length, first)));
  }

  std::size_t on_body_impl(boost::beast::string_view body, error_code& fault) override {
    body_bytes_ += body.size();
    if (body_bytes_ > limit_) {
      refuse(invalid("too_large", "The request's body is too large"), fault);
    } else if (keep_) {
      request_.body.append(body.data(), body.size());
    }
    return body.size();
  }

  void on_chunk_header_impl(std::uint64_t size, boost::beast::string_view, error_code& fault) override {
    if (size > limit_ - std::min<std::uint64_t>(body_bytes_, limit_)) {
      refuse(invalid("too_large", "The request's body is too large"), fault);
    }
  }

  std::size_t on_chunk_body_impl(std::uint64_t, boost::beast::string_view body, error_code& fault) override {
    return on_body_impl(body, fault);
  }

  void on_response_impl(int, boost::beast::string_view, int, error_code&) override {}
  void on_finish_impl(error_code&) override {}

  std::uint64_t header_bytes_ = 0;
  std::uint64_t body_bytes_ = 0;
  std::uint64_t limit_ = 0;
  unsigned hosts_ = 0;
  bool keep_ = true;
  bool failed_ = false;
  bool seen_target_ = false;
  bool other_encoding_ = false;
};

RequestParser::RequestParser(const ParserLimits& limits) : parser_(std::make_unique<Parser>(limits)) {}
RequestParser::~RequestParser() = default;

RequestParser::Status RequestParser::feed(std::string_view data, std::size_t& used) {
  return parser_->feed(data, used);
}
void RequestParser::accept_body(std::size_t limit, bool keep) { parser_->accept_body(limit, keep); }
const Error& RequestParser::error() const { return parser_->error_; }
http::Request& RequestParser::request() { return parser_->request_; }
bool RequestParser::method_known() const { return parser_->method_known_; }
bool RequestParser::has_body() const { return parser_->chunked() || parser_->content_length().value_or(0) > 0; }
bool RequestParser::keep_alive() const { return parser_->keep_alive(); }
bool RequestParser::http_1_0() const { return parser_->http_1_0_; }
bool RequestParser::expects_continue() const { return parser_->expects_continue_; }

std::optional<std::uint64_t> RequestParser::content_length() const {
  const auto length = parser_->content_length();
  return length ? std::optional<std::uint64_t>(*length) : std::nullopt;
}

}  // namespace backplane::host
