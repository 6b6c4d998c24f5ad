// Internal calls between hosts: `POST /api/<interface>/<revision>/<method>` with a JSON body, on listeners that serve
// `internal`. Both ends work from the methods' descriptions alone, so that a new method needs nothing here.
//
// A call carries the shared secret, the fingerprint of its interface, what is left of its deadline, its request id and
// its caller. An answer is the response, or 4xx/5xx with {"code", "reason", "text", "fields"}: the Error as it was.
//
// A call that is made while another one is served is deeper than that. Each depth has a pool of its own at the serving
// end, so that hosts that call each other with all their threads do not wait for each other for ever.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/api/method.h"
#include "backplane/base/clock.h"
#include "backplane/base/executor.h"
#include "backplane/base/json.h"
#include "backplane/base/result.h"

namespace backplane::host {

/// Names of the headers that a call carries besides Authorization.
inline constexpr const char* deadline_header = "x-backplane-deadline-ms";
inline constexpr const char* request_id_header = "x-backplane-request-id";
inline constexpr const char* caller_header = "x-backplane-caller";
inline constexpr const char* fingerprint_header = "x-backplane-fingerprint";
inline constexpr const char* depth_header = "x-backplane-depth";

/// Calls are at most so deep: client_api → room_server → user_api is depth 1.
inline constexpr int max_depth = 3;

/// The path of a method, without a host.
std::string remote_path(std::string_view interface_id, std::string_view method);

/// The string at `path` (`draft.room_id`) of a request that this process has encoded; nothing when it is not there.
std::optional<std::string> key_of(std::string_view request, std::string_view path);
/// The same of a request that has arrived.
std::optional<std::string_view> key_of(json::View request, std::string_view path);

std::string error_to_json(const Error& error);
/// What an answer that is no success says. `from` names the host, for answers that come from something else on the way
/// (a proxy, a listener that does not serve internal calls): those are never mistaken for the method's own.
Error error_from_answer(int status, std::string_view body, std::string_view from);

/// The error of a host that does not own the shard that a call is for; nothing was done.
Error not_owner(std::string_view owner);
bool is_not_owner(const Error& error);
/// The host that the error names; empty when it knows none.
std::string owner_of(const Error& error);

/// While it lives, calls of this thread are one deeper than what it serves.
class ServingDepth {
 public:
  explicit ServingDepth(int served);
  ~ServingDepth();
  ServingDepth(const ServingDepth&) = delete;
  ServingDepth& operator=(const ServingDepth&) = delete;
  /// The depth of a call that this thread makes now.
  static int of_calls();

 private:
  const int outer_;
};

}  // namespace backplane::host
