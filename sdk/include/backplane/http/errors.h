// The one table that turns (code, reason) of an Error into Matrix' errcode and an HTTP status.
#pragma once

#include <string>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/base/result.h"

namespace backplane::http {

struct StandardError {
  std::string_view errcode;
  int status;
};

/// The most specific row: that of (code, reason), else that of the code alone.
BACKPLANE_API StandardError standard_error(ErrorCode code, std::string_view reason);
/// The body: `{"errcode": …, "error": …, further fields}`.
BACKPLANE_API std::string error_body(const Error& error);

}  // namespace backplane::http
