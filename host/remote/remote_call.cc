#include "host/remote/remote_call.h"

#include "backplane/base/fields.h"

namespace backplane::host {
namespace {

struct WireError {
  std::string code, reason, text;
  std::map<std::string, json::Raw> fields;
};
BACKPLANE_FIELDS(WireError, code, reason, text, fields);

constexpr const char* not_owner_reason = "not_owner";

thread_local int depth_of_calls = 0;

}  // namespace

std::string remote_path(std::string_view interface_id, std::string_view method) {
  return "/api/" + std::string(interface_id) + "/" + std::string(method);
}

std::optional<std::string> key_of(std::string_view request, std::string_view path) {
  for (;;) {
    const std::size_t dot = path.find('.');
    const auto raw = json::find_raw(request, path.substr(0, dot));
    if (!raw) return std::nullopt;
    if (dot == std::string_view::npos) return json::unquote(*raw);
    request = *raw;
    path.remove_prefix(dot + 1);
  }
}

std::optional<std::string_view> key_of(json::View request, std::string_view path) {
  for (;;) {
    const std::size_t dot = path.find('.');
    if (dot == std::string_view::npos) return request.find_string(path);
    const auto inner = request.find(path.substr(0, dot));
    if (!inner) return std::nullopt;
    request = *inner;
    path.remove_prefix(dot + 1);
  }
}

std::string error_to_json(const Error& error) {
  WireError wire{std::string(to_string(error.code)), error.reason, error.text, {}};
  for (const ErrorField& field : error.fields) wire.fields[field.name] = json::Raw{field.json};
  return to_json(wire);
}

Error error_from_answer(int status, std::string_view body, std::string_view from) {
  const std::string host(from);
  if (auto wire = from_json<WireError>(body); wire && !wire->code.empty()) {
    Error error(error_code_from(wire->code), std::move(wire->reason), std::move(wire->text));
    for (auto& [name, value] : wire->fields) error.fields.push_back({name, std::move(value.text)});
    return error;
  }
  switch (status) {
    case 401:
    case 403: return {ErrorCode::internal, "shared_secret", "host " + host + " has another shared_secret"};
    case 404:
    case 405:
      return {ErrorCode::internal, "not_served",
              "what answers at the url of host " + host + " serves no internal calls: `serves` of its listener"};
    case 502:
    case 503: return unavailable("host_busy", "host " + host + " is stopping, or too busy");
    case 504: return timed_out("host " + host + " did not answer in time");
    default:
      return internal_error("host " + host + " answered " + std::to_string(status) + ", which is no error of ours");
  }
}

Error not_owner(std::string_view owner) {
  return unavailable(not_owner_reason, "this host does not own the shard").with("owner", owner);
}

bool is_not_owner(const Error& error) {
  return error.code == ErrorCode::unavailable && error.reason == not_owner_reason;
}

std::string owner_of(const Error& error) {
  for (const ErrorField& field : error.fields)
    if (field.name == "owner") return json::unquote(field.json).value_or("");
  return {};
}

ServingDepth::ServingDepth(int served) : outer_(depth_of_calls) { depth_of_calls = served + 1; }
ServingDepth::~ServingDepth() { depth_of_calls = outer_; }
int ServingDepth::of_calls() { return depth_of_calls; }

}  // namespace backplane::host
