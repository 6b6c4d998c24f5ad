// The bytes of an answer, and the answers that the listener gives itself. Pure functions: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "backplane/http/message.h"
#include "backplane/http/routes.h"

namespace backplane::host {

struct WriteOptions {
  bool keep_alive = true;
  bool http_1_0 = false;
  bool without_body = false;  ///< for HEAD: the length stays
  bool cors = false;
  std::int64_t wall_ms = 0;  ///< for the Date
};

/// The status line and the header, with the empty line. What a header may not hold (line ends, NUL) is left out.
std::string write_head(const http::Response& response, const WriteOptions& options);
/// Whether an answer of this status may have a body.
bool has_body(int status);
/// `Sun, 06 Nov 1994 08:49:37 GMT`
std::string http_date(std::int64_t wall_ms);

/// Whether answers of the surface are for browsers.
constexpr bool needs_cors(http::Surface surface) {
  return surface == http::Surface::client || surface == http::Surface::media;
}
/// 404 M_UNRECOGNIZED
http::Response unknown_path();
/// 405 M_UNRECOGNIZED, with Allow.
http::Response wrong_method(const std::vector<http::Method>& allowed);
/// 204 to OPTIONS.
http::Response options_answer(const std::vector<http::Method>& allowed);

}  // namespace backplane::host
