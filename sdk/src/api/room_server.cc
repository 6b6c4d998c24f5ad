#include "backplane/api/room_server.h"

#include "backplane/api/method_description.h"

namespace backplane::api {

RoomServer::RoomServer() : Interface(interface_id) {}
RoomServer::~RoomServer() = default;

}  // namespace backplane::api
