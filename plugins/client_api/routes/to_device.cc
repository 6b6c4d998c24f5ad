#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

constexpr http::RouteOptions to_device_route{http::Authentication::guest, 4 * 1024 * 1024, http::RateClass::write};

Result<http::Response> send(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_TRY(messages, document.root().get_object("messages"));
  api::SendToDeviceRequest message;
  message.sender = api::session_of(request).user;
  message.type = request.parameter("eventType");
  message.key = transaction_key(request, "sendToDevice/" + message.type);
  BACKPLANE_CHECK(read_json(messages, message.messages, "messages"));
  BACKPLANE_CHECK(c.edus.send_to_device(api::context_of(request), message));
  return http::Response::empty_object();
}

}  // namespace

void add_to_device_routes(http::Routes& routes, Components& c) {
  routes.add(http::Method::put, "/_matrix/client/v3|r0/sendToDevice/{eventType}/{txnId}", to_device_route,
             [&c](const http::Request& r) { return send(c, r); });
}

}  // namespace backplane::client_api
