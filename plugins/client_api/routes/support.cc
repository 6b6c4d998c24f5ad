#include "routes/support.h"

namespace backplane::client_api {

Result<UserId> user_parameter(const http::Request& request) { return matrix::parse_user_id(request.parameter("userId")); }
Result<RoomId> room_parameter(const http::Request& request) { return matrix::parse_room_id(request.parameter("roomId")); }

Result<UserId> own_user(const http::Request& request) {
  BACKPLANE_TRY(user, user_parameter(request));
  if (user != api::session_of(request).user) return denied("", "this is another user's");
  return std::move(user);
}

api::MemberProfile member_profile(const Components& components, const http::Request& request, const UserId& user) {
  api::MemberProfile member{user, std::nullopt, std::nullopt};
  if (!matrix::is_on_server(user.view(), ServerName(components.host.server_name()))) return member;
  if (auto profile = components.users.get_profile(api::context_of(request), {user})) {
    member.displayname = std::move(profile->displayname);
    member.avatar_url = std::move(profile->avatar_url);
  }
  return member;
}

api::IdempotencyKey transaction_key(const http::Request& request, std::string endpoint) {
  const api::Session& session = api::session_of(request);
  return {session.user, session.device, std::move(endpoint), TransactionId(std::string(request.parameter("txnId")))};
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string log_in_body(const api::LogInResponse& answer, const ServerName& server) {
  std::string body;
  json::Writer out(body);
  out.begin_object().member("user_id", answer.user_id.view());
  if (!answer.access_token.empty()) {
    out.member("access_token", answer.access_token.view()).member("device_id", answer.device_id.view());
    if (answer.refresh_token) out.member("refresh_token", *answer.refresh_token);
    if (answer.expires_in_ms) out.member("expires_in_ms", *answer.expires_in_ms);
  }
  out.member("home_server", server.view());
  out.end_object();
  return body;
}

}  // namespace backplane::client_api
