#include "store.h"

namespace backplane::user_api::store {
namespace {

bool set_column(storage::Write& write, std::string_view localpart, std::string_view column, std::string_view json) {
  std::optional<std::string> text;
  if (!json.empty()) {
    if (auto value = json::Document::parse(json)) text = value->root().as_string();
  }
  const std::string_view sql = column == "displayname"
                                   ? "UPDATE users SET displayname = ?, profile_version = profile_version + 1 WHERE "
                                     "localpart = ? AND displayname IS DISTINCT FROM ?"
                                   : "UPDATE users SET avatar_url = ?, profile_version = profile_version + 1 WHERE "
                                     "localpart = ? AND avatar_url IS DISTINCT FROM ?";
  return write.execute(sql, {text, localpart, text}) > 0;
}

bool set_row(storage::Write& write, std::string_view localpart, std::string_view field, std::string_view json) {
  std::int64_t changed = 0;
  if (json.empty()) {
    changed = write.execute("DELETE FROM profile_fields WHERE localpart = ? AND name = ?", {localpart, field});
  } else {
    changed = write.execute(
        "INSERT INTO profile_fields (localpart, name, value) VALUES (?, ?, ?) "
        "ON CONFLICT (localpart, name) DO UPDATE SET value = excluded.value WHERE profile_fields.value <> "
        "excluded.value",
        {localpart, field, json});
  }
  if (changed > 0)
    write.execute("UPDATE users SET profile_version = profile_version + 1 WHERE localpart = ?", {localpart});
  return changed > 0;
}

}  // namespace

bool is_text_field(std::string_view field) { return field == "displayname" || field == "avatar_url"; }

std::optional<api::GetProfileResponse> find_profile(storage::Session& session, std::string_view localpart) {
  std::optional<api::GetProfileResponse> profile;
  session.each<std::optional<std::string>, std::optional<std::string>, std::int64_t, std::optional<std::string>,
               std::string>(
      "SELECT u.displayname, u.avatar_url, u.profile_version, f.name, f.value FROM users u "
      "LEFT JOIN profile_fields f ON f.localpart = u.localpart WHERE u.localpart = ? AND u.deactivated = 0",
      {localpart},
      [&](std::optional<std::string> displayname, std::optional<std::string> avatar_url, std::int64_t version,
          std::optional<std::string> name, std::string value) {
        if (!profile) profile = api::GetProfileResponse{std::move(displayname), std::move(avatar_url), {}, version};
        if (name) profile->other[*name] = json::Raw{std::move(value)};
      });
  return profile;
}

std::optional<std::int64_t> set_profile_field(storage::Write& write, std::string_view localpart, std::string_view field,
                                              std::string_view json) {
  const bool changed =
      is_text_field(field) ? set_column(write, localpart, field, json) : set_row(write, localpart, field, json);
  if (!changed) return std::nullopt;
  return write.find<std::int64_t>("SELECT profile_version FROM users WHERE localpart = ?", {localpart});
}

}  // namespace backplane::user_api::store
