#include "backplane/api/edu_server.h"

#include "backplane/api/method_description.h"

namespace backplane::api {

EduServer::EduServer() : Interface(interface_id) {}
EduServer::~EduServer() = default;

}  // namespace backplane::api
