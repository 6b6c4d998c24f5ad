// A request as a route's handler sees it, and what it answers. Both are plain values; the host's listener makes the
// one and sends the other. A Request lives until its handler returns: a handler that parks copies what it needs.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/json.h"
#include "backplane/base/result.h"
#include "backplane/base/strong_id.h"

namespace backplane::http {

enum class Method : std::uint8_t { get, head, post, put, patch, delete_, options };
BACKPLANE_API std::string_view to_string(Method method);
BACKPLANE_API std::optional<Method> method_from(std::string_view name);

/// Who made a request. What more there is to know is in a derived type that belongs to the plugin that checks tokens
/// (api/session.h); the host needs only a key to count requests by.
struct BACKPLANE_API Identity {
  virtual ~Identity();
  std::string rate_key;
  bool rate_limited = true;
};

struct NameValue {
  std::string name;
  std::string value;
};

class BACKPLANE_API Request {
 public:
  Method method = Method::get;
  std::string path;                ///< as received, still percent-encoded, without the query
  std::string raw_query;           ///< what follows the question mark
  std::vector<NameValue> headers;  ///< names in lower case
  std::string body;
  std::string remote_address;  ///< of the client: what a trusted proxy said, or the peer's
  RequestId id;
  Instant deadline{};                        ///< work for it should have ended by then
  std::vector<NameValue> parameters;         ///< of the path, decoded: `{roomId}` is "roomId"
  std::shared_ptr<const Identity> identity;  ///< set when the route's authentication level asked for it and it is there

  /// Empty when the header is absent. `name` in lower case.
  std::string_view header(std::string_view name) const;
  /// A parameter of the path; it is always there when the route's pattern names it.
  std::string_view parameter(std::string_view name) const;
  /// The first value of a query parameter, decoded.
  std::optional<std::string> query(std::string_view name) const;
  /// Every value of a query parameter, decoded, in order.
  std::vector<std::string> query_all(std::string_view name) const;
  /// Errors: invalid/invalid_param when it is there and not a whole number.
  Result<std::optional<std::int64_t>> query_integer(std::string_view name) const;
  /// Errors: invalid/invalid_param when it is there and neither true nor false.
  Result<std::optional<bool>> query_boolean(std::string_view name) const;
  /// The token of `Authorization: Bearer`, or of the query parameter `access_token`; empty when there is none.
  std::string access_token() const;
  /// The body, which must be a JSON object. Errors as json::Document::parse_object. An empty body is an empty object
  /// when `allow_empty`.
  Result<json::Document> json_body(bool allow_empty = false) const;
};

class BACKPLANE_API Response {
 public:
  int status = 200;
  std::string content_type = "application/json";
  std::vector<NameValue> headers;
  std::string body;

  static Response json(std::string text, int status = 200);
  /// `{}`
  static Response empty_object();
  static Response text(std::string content_type, std::string body, int status = 200);
  /// What Matrix clients get for this error (http/errors.h).
  static Response error(const Error& error);
  Response&& with_header(std::string name, std::string value) &&;
};

}  // namespace backplane::http
