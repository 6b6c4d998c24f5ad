// What several groups of routes need.
#pragma once

#include <optional>
#include <string>

#include "backplane/api/session.h"
#include "backplane/base/json.h"
#include "backplane/http/message.h"
#include "backplane/http/routes.h"
#include "components.h"

namespace backplane::client_api {

inline constexpr http::RouteOptions read_route{http::Authentication::required, http::no_body, http::RateClass::read};
inline constexpr http::RouteOptions guest_read_route{http::Authentication::guest, http::no_body, http::RateClass::read};
inline constexpr http::RouteOptions public_route{http::Authentication::none, http::no_body, http::RateClass::read};
inline constexpr http::RouteOptions write_route{http::Authentication::required, http::small_body, http::RateClass::write};
inline constexpr http::RouteOptions guest_write_route{http::Authentication::guest, http::small_body, http::RateClass::write};
inline constexpr http::RouteOptions login_route{http::Authentication::none, http::small_body, http::RateClass::login};

/// The user of the path, who must be the one that asks. Errors: denied.
Result<UserId> own_user(const http::Request& request);
Result<UserId> user_parameter(const http::Request& request);
Result<RoomId> room_parameter(const http::Request& request);
/// A user's profile as a member event shows it; empty for users of other servers and those without one.
api::MemberProfile member_profile(const Components& components, const http::Request& request, const UserId& user);
/// The scope of a transaction id in the path (Client-Server API, "Transaction identifiers").
api::IdempotencyKey transaction_key(const http::Request& request, std::string endpoint);
/// Answers a parked request from a deferred call's result.
template <class T, class Write>
auto answer(http::Responder responder, Write write) {
  return [responder = std::move(responder), write = std::move(write)](Result<T> result) {
    responder.complete(result.ok() ? write(*result) : http::Response::error(result.error()));
  };
}
/// With A-Z folded.
std::string lower_case(std::string_view text);
/// The members `user_id`, `device_id` and so on of a log-in's answer.
std::string log_in_body(const api::LogInResponse& answer, const ServerName& server);

}  // namespace backplane::client_api
