// From what config says to what the public listener takes.
#pragma once

#include "host/config/config.h"
#include "host/http/http_config.h"

namespace backplane::host {

HttpConfig http_config(const Config& config);
RateLimits rate_limits(const Config& config);

}  // namespace backplane::host
