// What every internal call carries besides its request. Passed by reference down the stack; cheap to copy.
#pragma once

#include <stop_token>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/strong_id.h"

namespace backplane::api {

struct CallContext {
  Instant deadline{};      ///< the answer is of no use after that
  std::stop_token stop{};  ///< the caller has gone
  RequestId request_id{};
  std::string_view caller{};  ///< the plugin that calls
};

}  // namespace backplane::api
