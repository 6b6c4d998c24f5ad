#include "host/http/response_writer.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "backplane/base/result.h"

namespace backplane::host {
namespace {

std::string_view reason_phrase(int status) {
  switch (status) {
    case 200: return "OK";
    case 201: return "Created";
    case 202: return "Accepted";
    case 204: return "No Content";
    case 206: return "Partial Content";
    case 301: return "Moved Permanently";
    case 302: return "Found";
    case 304: return "Not Modified";
    case 307: return "Temporary Redirect";
    case 308: return "Permanent Redirect";
    case 400: return "Bad Request";
    case 401: return "Unauthorized";
    case 403: return "Forbidden";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 408: return "Request Timeout";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 414: return "URI Too Long";
    case 416: return "Range Not Satisfiable";
    case 429: return "Too Many Requests";
    case 431: return "Request Header Fields Too Large";
    case 500: return "Internal Server Error";
    case 501: return "Not Implemented";
    case 502: return "Bad Gateway";
    case 503: return "Service Unavailable";
    case 504: return "Gateway Timeout";
    default: return "-";
  }
}

/// What a handler puts in a header may come from a client: it must not begin a line of its own.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  const auto append = [&out](std::string_view text) {
    for (const char c : text) {
      if (c != '\r' && c != '\n' && c != '\0') out += c;
    }
  };
  append(name);
  out += ": ";
  append(value);
  out += "\r\n";
}

bool same_name(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, [&lower](char x, char y) { return lower(x) == lower(y); });
}

std::string list_of(const std::vector<http::Method>& methods) {
  std::string out;
  for (const http::Method method : methods) {
    if (method == http::Method::options) continue;
    out += to_string(method);
    out += ", ";
    if (method == http::Method::get && std::ranges::find(methods, http::Method::head) == methods.end()) out += "HEAD, ";
  }
  return out + "OPTIONS";
}

}  // namespace

bool has_body(int status) { return status >= 200 && status != 204 && status != 304; }

std::string http_date(std::int64_t wall_ms) {
  constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const int length = std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                                   days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                                   months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                                   parts.tm_min, parts.tm_sec);
  return {text.data(), static_cast<std::size_t>(std::max(length, 0))};
}

std::string write_head(const http::Response& response, const WriteOptions& options) {
  std::string out;
  out.reserve(384);
  out += options.http_1_0 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_phrase(response.status);
  out += "\r\nDate: ";
  out += http_date(options.wall_ms);
  out += "\r\n";
  if (has_body(response.status)) {
    if (!response.content_type.empty()) append_field(out, "Content-Type", response.content_type);
    out += "Content-Length: ";
    out += std::to_string(response.body.size());
    out += "\r\n";
  }
  if (options.cors) {
    // Spec: Client-Server API, "Web Browser Clients".
    out +=
        "Access-Control-Allow-Origin: *\r\n"
        "Access-Control-Allow-Methods: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n"
        "Access-Control-Allow-Headers: X-Requested-With, Content-Type, Authorization\r\n";
  }
  for (const http::NameValue& header : response.headers) {
    // The framing is the listener's, and two origins would be none for a browser.
    if (same_name(header.name, "content-length") || same_name(header.name, "connection") ||
        same_name(header.name, "transfer-encoding") || same_name(header.name, "date") ||
        (options.cors && same_name(header.name, "access-control-allow-origin"))) {
      continue;
    }
    append_field(out, header.name, header.value);
  }
  if (!options.keep_alive) {
    out += "Connection: close\r\n";
  } else if (options.http_1_0) {
    out += "Connection: keep-alive\r\n";
  }
  out += "\r\n";
  return out;
}

http::Response unknown_path() {
  // Spec: "M_UNRECOGNIZED": 404 where the endpoint is not implemented, 405 where the method is wrong.
  return http::Response::error(not_found("unrecognized", "Unrecognized request"));
}

http::Response wrong_method(const std::vector<http::Method>& allowed) {
  return http::Response::error(invalid("wrong_method", "This path does not have that method"))
      .with_header("Allow", list_of(allowed));
}

http::Response options_answer(const std::vector<http::Method>& allowed) {
  http::Response response;
  response.status = 204;
  if (!allowed.empty()) response.headers.push_back({"Allow", list_of(allowed)});
  return response;
}

}  // namespace backplane::host
