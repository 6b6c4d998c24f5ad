#include "user_service.h"

namespace backplane::user_api {
namespace {

// Client-Server API, "Profiles": 64 KiB for all of a profile, 255 bytes for a field's name.
constexpr std::size_t max_profile_bytes = 65'536;
constexpr std::size_t max_field_name = 255;

std::size_t size_of(const api::GetProfileResponse& profile, std::string_view without) {
  std::size_t bytes = 0;
  if (profile.displayname && without != "displayname") bytes += profile.displayname->size();
  if (profile.avatar_url && without != "avatar_url") bytes += profile.avatar_url->size();
  for (const auto& [name, value] : profile.other) bytes += name == without ? 0 : name.size() + value.text.size() + 6;
  return bytes + 64;
}

}  // namespace

Result<api::GetProfileResponse> UserService::get_profile(const api::GetProfileRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  return store_.read([&](storage::Session& session) -> Result<api::GetProfileResponse> {
    auto profile = store::find_profile(session, localpart);
    if (!profile) return not_found("", "there is no profile of " + request.user.str());
    return std::move(*profile);
  });
}

Result<api::SetProfileFieldResponse> UserService::set_profile_field(const api::SetProfileFieldRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  if (request.field.empty() || request.field.size() > max_field_name) return invalid("key_too_large", "a field's name has 1 to 255 bytes");
  if (store::is_text_field(request.field) && !request.value.empty()) {
    const auto value = json::Document::parse(request.value.text);
    if (!value || !value->root().is_string()) return invalid("bad_json", "the field " + request.field + " is not a string");
  }
  return store_.write([&](storage::Write& write) -> Result<api::SetProfileFieldResponse> {
    const auto profile = store::find_profile(write, localpart);
    if (!profile) return not_found("", "there is no profile of " + request.user.str());
    if (size_of(*profile, request.field) + request.field.size() + request.value.text.size() > max_profile_bytes) {
      return invalid("profile_too_large", "a profile has at most 64 KiB");
    }
    const auto version = store::set_profile_field(write, localpart, request.field, request.value.text);
    return api::SetProfileFieldResponse{version.has_value(), version.value_or(profile->version)};
  });
}

}  // namespace backplane::user_api
