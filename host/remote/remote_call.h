// Internal calls between hosts: `POST /api/<interface>/<revision>/<method>` with a JSON body, on listeners that serve
// `internal`. Both ends work from the methods' descriptions alone, so that a new method needs nothing here.
//
// A call carries the shared secret, the fingerprint of its interface, what is left of its deadline, its request id and
// its caller. An answer is the response, or 4xx/5xx with {"code", "reason", "text", "fields"}: the Error as it was.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "backplane/api/method.h"
#include "backplane/base/clock.h"
#include "backplane/base/executor.h"
#include "backplane/base/result.h"

namespace backplane::host {

/// Names of the headers that a call carries besides Authorization.
inline constexpr const char* deadline_header = "x-backplane-deadline-ms";
inline constexpr const char* request_id_header = "x-backplane-request-id";
inline constexpr const char* caller_header = "x-backplane-caller";
inline constexpr const char* fingerprint_header = "x-backplane-fingerprint";

/// The path of a method, without a host.
std::string remote_path(std::string_view interface_id, std::string_view method);

std::string error_to_json(const Error& error);
/// internal when the text is no error's.
Error error_from_json(std::string_view text);

}  // namespace backplane::host
