#include "backplane/http/errors.h"

#include <algorithm>
#include <array>

#include "backplane/base/json.h"

namespace backplane::http {
namespace {

struct Row {
  std::string_view reason;
  StandardError error;
};

// Spec: Client-Server API, "Common error codes" and "Other error codes"; statuses from the endpoints that name them.
// Where the specification gives an errcode no status, ours is what Synapse answers. Sorted by reason.
constexpr std::array rows{
    Row{"appservice_login_unsupported", {"M_APPSERVICE_LOGIN_UNSUPPORTED", 400}},
    Row{"bad_alias", {"M_BAD_ALIAS", 400}},
    Row{"bad_json", {"M_BAD_JSON", 400}},
    Row{"bad_request", {"M_UNKNOWN", 400}},
    Row{"bad_state", {"M_BAD_STATE", 403}},
    Row{"bad_status", {"M_BAD_STATUS", 502}},
    Row{"cannot_leave_server_notice_room", {"M_CANNOT_LEAVE_SERVER_NOTICE_ROOM", 403}},
    Row{"cannot_overwrite_media", {"M_CANNOT_OVERWRITE_MEDIA", 409}},
    Row{"captcha_invalid", {"M_CAPTCHA_INVALID", 401}},
    Row{"captcha_needed", {"M_CAPTCHA_NEEDED", 401}},
    Row{"connection_failed", {"M_CONNECTION_FAILED", 502}},
    Row{"connection_timeout", {"M_CONNECTION_TIMEOUT", 504}},
    Row{"duplicate_annotation", {"M_DUPLICATE_ANNOTATION", 400}},
    Row{"exclusive", {"M_EXCLUSIVE", 400}},
    Row{"guest_access_forbidden", {"M_GUEST_ACCESS_FORBIDDEN", 403}},
    Row{"headers_too_large", {"M_TOO_LARGE", 431}},
    Row{"incompatible_room_version", {"M_INCOMPATIBLE_ROOM_VERSION", 400}},
    Row{"invalid_param", {"M_INVALID_PARAM", 400}},
    Row{"invalid_room_state", {"M_INVALID_ROOM_STATE", 400}},
    Row{"invalid_signature", {"M_INVALID_SIGNATURE", 400}},
    Row{"invalid_username", {"M_INVALID_USERNAME", 400}},
    Row{"invite_blocked", {"M_INVITE_BLOCKED", 403}},
    Row{"key_too_large", {"M_KEY_TOO_LARGE", 400}},
    Row{"limit_exceeded", {"M_LIMIT_EXCEEDED", 429}},
    Row{"missing_param", {"M_MISSING_PARAM", 400}},
    Row{"missing_token", {"M_MISSING_TOKEN", 401}},
    Row{"no_valid_session", {"M_NO_VALID_SESSION", 400}},
    Row{"not_implemented", {"M_UNRECOGNIZED", 501}},
    Row{"not_json", {"M_NOT_JSON", 400}},
    Row{"not_left", {"M_UNKNOWN", 400}},
    Row{"not_yet_uploaded", {"M_NOT_YET_UPLOADED", 504}},
    Row{"profile_too_large", {"M_PROFILE_TOO_LARGE", 400}},
    Row{"remote_failed", {"M_UNKNOWN", 502}},
    Row{"request_timeout", {"M_UNKNOWN", 408}},
    Row{"resource_limit_exceeded", {"M_RESOURCE_LIMIT_EXCEEDED", 403}},
    Row{"room_in_use", {"M_ROOM_IN_USE", 400}},
    Row{"server_not_trusted", {"M_SERVER_NOT_TRUSTED", 400}},
    Row{"session_expired", {"M_SESSION_EXPIRED", 400}},
    Row{"session_not_validated", {"M_SESSION_NOT_VALIDATED", 400}},
    Row{"terms_not_signed", {"M_TERMS_NOT_SIGNED", 403}},
    Row{"threepid_auth_failed", {"M_THREEPID_AUTH_FAILED", 400}},
    Row{"threepid_denied", {"M_THREEPID_DENIED", 403}},
    Row{"threepid_in_use", {"M_THREEPID_IN_USE", 400}},
    Row{"threepid_medium_not_supported", {"M_THREEPID_MEDIUM_NOT_SUPPORTED", 400}},
    Row{"threepid_not_found", {"M_THREEPID_NOT_FOUND", 400}},
    Row{"too_large", {"M_TOO_LARGE", 413}},
    Row{"unable_to_authorise_join", {"M_UNABLE_TO_AUTHORISE_JOIN", 400}},
    Row{"unable_to_grant_join", {"M_UNABLE_TO_GRANT_JOIN", 400}},
    Row{"unauthorized", {"M_UNAUTHORIZED", 401}},
    Row{"unknown_device", {"M_UNKNOWN_DEVICE", 400}},
    Row{"unknown_pos", {"M_UNKNOWN_POS", 400}},
    Row{"unknown_token", {"M_UNKNOWN_TOKEN", 401}},
    Row{"unrecognized", {"M_UNRECOGNIZED", 404}},
    Row{"unsupported_room_version", {"M_UNSUPPORTED_ROOM_VERSION", 400}},
    Row{"uri_too_long", {"M_TOO_LARGE", 414}},
    Row{"url_not_set", {"M_URL_NOT_SET", 400}},
    Row{"user_deactivated", {"M_USER_DEACTIVATED", 403}},
    Row{"user_in_use", {"M_USER_IN_USE", 400}},
    Row{"user_limit_exceeded", {"M_USER_LIMIT_EXCEEDED", 403}},
    Row{"user_locked", {"M_USER_LOCKED", 401}},
    Row{"user_suspended", {"M_USER_SUSPENDED", 403}},
    Row{"weak_password", {"M_WEAK_PASSWORD", 400}},
    Row{"wrong_method", {"M_UNRECOGNIZED", 405}},
    Row{"wrong_room_keys_version", {"M_WRONG_ROOM_KEYS_VERSION", 403}},
};
static_assert(std::is_sorted(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.reason < b.reason; }));

StandardError of_code(ErrorCode code) {
  switch (code) {
    case ErrorCode::not_found: return {"M_NOT_FOUND", 404};
    case ErrorCode::denied: return {"M_FORBIDDEN", 403};
    case ErrorCode::invalid: return {"M_INVALID_PARAM", 400};
    case ErrorCode::conflict: return {"M_UNKNOWN", 409};
    case ErrorCode::incomplete: return {"M_UNKNOWN", 502};
    case ErrorCode::timeout: return {"M_UNKNOWN", 504};
    case ErrorCode::unavailable: return {"M_UNKNOWN", 503};
    case ErrorCode::internal: break;
  }
  return {"M_UNKNOWN", 500};
}

}  // namespace

StandardError standard_error(ErrorCode code, std::string_view reason) {
  // A reason means one thing whatever the code it came with (room_in_use as `invalid` or as `conflict`), but for
  // faults of ours, whose reasons are not for clients.
  if (code == ErrorCode::internal) return of_code(code);
  const auto it = std::lower_bound(rows.begin(), rows.end(), reason,
                                   [](const Row& row, std::string_view word) { return row.reason < word; });
  return it != rows.end() && it->reason == reason ? it->error : of_code(code);
}

std::string error_body(const Error& error) {
  std::string out;
  json::Writer writer(out);
  writer.begin_object().member("errcode", standard_error(error.code, error.reason).errcode).member("error", error.text);
  for (const ErrorField& field : error.fields) writer.raw_member(field.name, field.json);
  writer.end_object();
  return out;
}

}  // namespace backplane::http
