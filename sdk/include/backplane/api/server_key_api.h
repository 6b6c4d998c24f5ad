// backplane.server_key_api: the signing keys of servers.
#pragma once

#include <string>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/matrix/ids.h"

namespace backplane::api {

/// An event as another server sent it, in the format of the room's version.
struct SignedEvent {
  json::Raw event;
  RoomVersionId room_version;
};
BACKPLANE_FIELDS(SignedEvent, event, room_version);
struct VerifyEventsRequest {
  std::vector<SignedEvent> events;  ///< at most 1000
};
BACKPLANE_FIELDS(VerifyEventsRequest, events);
struct VerifiedEvent {
  bool verified = false;
  std::string reason;  ///< for people, where it is not
};
BACKPLANE_FIELDS(VerifiedEvent, verified, reason);
struct VerifyEventsResponse {
  std::vector<VerifiedEvent> events;  ///< as many as were asked about, in their order
};
BACKPLANE_FIELDS(VerifyEventsResponse, events);

struct BACKPLANE_API ServerKeyApi : Interface {
  static constexpr std::string_view interface_id = "backplane.server_key_api/1";
  ServerKeyApi();
  ~ServerKeyApi() override;

  /// Server-Server API, "Checks performed on receipt of a PDU", 2: whether events bear the signatures that their room
  /// version asks for, by keys that were valid when they were made (wires 11 and 13). May ask other servers for keys;
  /// an event whose keys nobody has is one that is not verified. Errors: invalid/too_large.
  DeferredMethod<VerifyEventsRequest, VerifyEventsResponse> verify_events{*this, "verify_events", {.repeatable = true}};
};

}  // namespace backplane::api
