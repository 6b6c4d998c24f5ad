#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

http::Response event_id_body(const EventId& event_id) {
  std::string body;
  json::Writer(body).begin_object().member("event_id", event_id.view()).end_object();
  return http::Response::json(std::move(body));
}

Result<http::Response> submit(Components& c, const http::Request& request, api::SubmitDraftRequest draft) {
  BACKPLANE_TRY(submitted, c.rooms.submit_draft(api::context_of(request), draft));
  return event_id_body(submitted.event_id);
}

Result<api::Draft> draft_of(const http::Request& request, std::string type) {
  BACKPLANE_TRY(room, room_parameter(request));
  api::Draft draft;
  draft.room_id = std::move(room);
  draft.sender = api::session_of(request).user;
  draft.type = std::move(type);
  return draft;
}

Result<http::Response> send(Components& c, const http::Request& request) {
  BACKPLANE_TRY(draft, draft_of(request, std::string(request.parameter("eventType"))));
  BACKPLANE_TRY(document, request.json_body());
  draft.content.text = document.root().canonical();
  if (draft.type == "m.room.redaction") {
    // From room version 11 on the target is in the content, and this endpoint may redact as well.
    draft.redacts = EventId(std::string(document.root().find_string("redacts").value_or("")));
  }
  auto key = transaction_key(request, "send/" + draft.room_id.str() + "/" + draft.type);
  return submit(c, request, {std::move(draft), std::move(key)});
}

Result<http::Response> set_state(Components& c, const http::Request& request) {
  BACKPLANE_TRY(draft, draft_of(request, std::string(request.parameter("eventType"))));
  BACKPLANE_TRY(document, request.json_body());
  draft.state_key = std::string(request.parameter("stateKey"));
  draft.content.text = document.root().canonical();
  api::IdempotencyKey no_key;
  no_key.user = draft.sender;
  no_key.device = api::session_of(request).device;
  return submit(c, request, {std::move(draft), std::move(no_key)});
}

Result<http::Response> redact(Components& c, const http::Request& request) {
  BACKPLANE_TRY(draft, draft_of(request, "m.room.redaction"));
  BACKPLANE_TRY(target, matrix::parse_event_id(request.parameter("eventId")));
  BACKPLANE_TRY(document, request.json_body(true));
  draft.redacts = std::move(target);
  draft.content.text = document.root().canonical();
  auto key = transaction_key(request, "redact/" + draft.room_id.str() + "/" + draft.redacts.str());
  return submit(c, request, {std::move(draft), std::move(key)});
}

}  // namespace

void add_sending_routes(http::Routes& routes, Components& c) {
  using http::Method;
  const std::string room = "/_matrix/client/v3|r0/rooms/{roomId}";
  routes.add(Method::put, room + "/send/{eventType}/{txnId}", guest_write_route,
             [&c](const http::Request& r) { return send(c, r); });
  // Without a state key, with or without a slash at the end, it is the empty one.
  for (const char* end : {"/state/{eventType}", "/state/{eventType}/", "/state/{eventType}/{stateKey}"}) {
    routes.add(Method::put, room + end, guest_write_route, [&c](const http::Request& r) { return set_state(c, r); });
  }
  routes.add(Method::put, room + "/redact/{eventId}/{txnId}", write_route,
             [&c](const http::Request& r) { return redact(c, r); });
}

}  // namespace backplane::client_api
