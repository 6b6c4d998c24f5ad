#include "backplane/http/message.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "backplane/base/encoding.h"
#include "backplane/http/errors.h"

namespace backplane::http {
namespace {

constexpr std::array<std::string_view, 7> method_names{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

std::string_view find(const std::vector<NameValue>& list, std::string_view name) {
  for (const NameValue& entry : list) {
    if (entry.name == name) return entry.value;
  }
  return {};
}

/// Calls `visit(value still encoded)` for each parameter of that name until it answers false.
template <class Visit>
void each_query_value(std::string_view query, std::string_view name, Visit visit) {
  while (!query.empty()) {
    const std::string_view pair = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), pair.size() + 1));
    const std::size_t equals = pair.find('=');
    const std::string_view key = pair.substr(0, equals);
    const bool plain = key.find_first_of("%+") == std::string_view::npos;
    if (plain ? key != name : percent_decode(key, true) != name) continue;
    if (!visit(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1))) return;
  }
}

bool begins_with_bearer(std::string_view text) {
  constexpr std::string_view scheme = "bearer ";
  return text.size() > scheme.size() && std::equal(scheme.begin(), scheme.end(), text.begin(), [](char a, char b) {
           return a == b || (b >= 'A' && b <= 'Z' && a == b - 'A' + 'a');
         });
}

}  // namespace

Identity::~Identity() = default;

std::string_view to_string(Method method) {
  const auto index = static_cast<std::size_t>(method);
  return index < method_names.size() ? method_names[index] : std::string_view{};
}

std::optional<Method> method_from(std::string_view name) {
  const auto it = std::find(method_names.begin(), method_names.end(), name);
  if (it == method_names.end()) return std::nullopt;
  return static_cast<Method>(it - method_names.begin());
}

std::string_view Request::header(std::string_view name) const { return find(headers, name); }

std::string_view Request::parameter(std::string_view name) const { return find(parameters, name); }

std::optional<std::string> Request::query(std::string_view name) const {
  std::optional<std::string> found;
  each_query_value(raw_query, name, [&found](std::string_view encoded) {
    found = percent_decode(encoded, true);
    return !found.has_value();
  });
  return found;
}

std::vector<std::string> Request::query_all(std::string_view name) const {
  std::vector<std::string> values;
  each_query_value(raw_query, name, [&values](std::string_view encoded) {
    if (auto value = percent_decode(encoded, true)) values.push_back(*std::move(value));
    return true;
  });
  return values;
}

Result<std::optional<std::int64_t>> Request::query_integer(std::string_view name) const {
  const auto text = query(name);
  if (!text) return std::optional<std::int64_t>{};
  std::int64_t value = 0;
  const char* const end = text->data() + text->size();
  const auto [stopped, fault] = std::from_chars(text->data(), end, value);
  if (fault != std::errc{} || stopped != end) {
    return invalid("invalid_param", "The query parameter '" + std::string(name) + "' is not a whole number");
  }
  return std::optional(value);
}

Result<std::optional<bool>> Request::query_boolean(std::string_view name) const {
  const auto text = query(name);
  if (!text) return std::optional<bool>{};
  if (*text == "true") return std::optional(true);
  if (*text == "false") return std::optional(false);
  return invalid("invalid_param", "The query parameter '" + std::string(name) + "' is neither true nor false");
}

std::string Request::access_token() const {
  if (const std::string_view shown = header("authorization"); begins_with_bearer(shown)) {
    const std::string_view token = shown.substr(7);
    return std::string(token.substr(std::min(token.find_first_not_of(' '), token.size())));
  }
  return query("access_token").value_or(std::string{});
}

Result<json::Document> Request::json_body(bool allow_empty) const {
  if (body.empty() && allow_empty) return json::Document::parse_object("{}");
  return json::Document::parse_object(body);
}

Response Response::json(std::string text, int status) {
  Response response;
  response.status = status;
  response.body = std::move(text);
  return response;
}

Response Response::empty_object() { return json("{}"); }

Response Response::text(std::string content_type, std::string body, int status) {
  Response response;
  response.status = status;
  response.content_type = std::move(content_type);
  response.body = std::move(body);
  return response;
}

Response Response::error(const Error& error) {
  Response response = json(error_body(error), standard_error(error.code, error.reason).status);
  // Spec: "Rate limiting": the header supersedes the deprecated member retry_after_ms, which clients still read.
  for (const ErrorField& field : error.fields) {
    std::int64_t ms = 0;
    if (field.name != "retry_after_ms") continue;
    if (std::from_chars(field.json.data(), field.json.data() + field.json.size(), ms).ec != std::errc{}) continue;
    response.headers.push_back({"Retry-After", std::to_string((std::max<std::int64_t>(ms, 0) + 999) / 1000)});
  }
  return response;
}

Response&& Response::with_header(std::string name, std::string value) && {
  headers.push_back({std::move(name), std::move(value)});
  return std::move(*this);
}

}  // namespace backplane::http
