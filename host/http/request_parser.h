// HTTP/1.1 requests out of bytes, straight into the SDK's Request: Beast's parser is behind it, which is strict about
// framing. It stops once after the header, so that the route can say how large a body may be before any is read.
//
// One object a request, fed by one thread at a time. It keeps no bytes: what feed() did not use is to come again, with
// more behind it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "backplane/base/result.h"
#include "backplane/http/message.h"

namespace backplane::host {

struct ParserLimits {
  std::size_t header_bytes = 16 * 1024;
  std::size_t uri_bytes = 8 * 1024;
  std::size_t headers = 100;
};

class RequestParser {
 public:
  enum class Status : std::uint8_t { need_more, header_done, done, failed };

  explicit RequestParser(const ParserLimits& limits);
  ~RequestParser();

  /// Sets `used` to the bytes that need not come again. header_done is answered once, also for requests without a body.
  Status feed(std::string_view data, std::size_t& used);
  /// After header_done. A body that turns out larger fails with too_large; `keep` false counts it and drops it.
  void accept_body(std::size_t limit, bool keep);
  /// What is wrong, for http::Response::error: bad_request, uri_too_long, headers_too_large, too_large.
  const Error& error() const;

  /// From header_done on: method (when it is known), path, query and headers; the body when done.
  http::Request& request();
  /// False for a method that the SDK has no name for.
  bool method_known() const;
  std::optional<std::uint64_t> content_length() const;
  /// Whether a body follows the header.
  bool has_body() const;
  bool keep_alive() const;
  bool http_1_0() const;
  bool expects_continue() const;

 private:
  class Parser;
  std::unique_ptr<Parser> parser_;
};

}  // namespace backplane::host
