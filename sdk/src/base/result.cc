#include "backplane/base/result.h"

#include <array>

#include "backplane/base/json.h"

namespace backplane {
namespace {

constexpr std::array<std::string_view, 8> code_names{"not_found",  "denied",  "invalid",     "conflict",
                                                     "incomplete", "timeout", "unavailable", "internal"};

}  // namespace

std::string_view to_string(ErrorCode code) {
  const auto index = static_cast<std::size_t>(code);
  return index < code_names.size() ? code_names[index] : code_names.back();
}

ErrorCode error_code_from(std::string_view name) {
  for (std::size_t i = 0; i < code_names.size(); ++i) {
    if (code_names[i] == name) return static_cast<ErrorCode>(i);
  }
  return ErrorCode::internal;
}

Error&& Error::with(std::string_view name, std::string_view text_value) && {
  fields.push_back({std::string(name), json::quoted(text_value)});
  return std::move(*this);
}

Error&& Error::with_json(std::string_view name, std::string json) && {
  fields.push_back({std::string(name), std::move(json)});
  return std::move(*this);
}

}  // namespace backplane
