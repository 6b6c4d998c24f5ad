// What the routes of this plugin work with. References live as long as the plugin.
#pragma once

#include "backplane/api/edu_server.h"
#include "backplane/api/room_server.h"
#include "backplane/api/session.h"
#include "backplane/api/user_api.h"
#include "backplane/plugin/plugin.h"

namespace backplane::client_api {

class InteractiveAuth;
class ProfileJob;

struct Settings {
  bool password_login = true;
  bool token_login = true;
  std::string identity_server;  ///< of /.well-known/matrix/client; empty: none
};

struct Components {
  plugin::Host& host;
  const Settings& settings;
  api::UserApi& users;
  api::RoomServer& rooms;
  api::EduServer& edus;  ///< may have no provider
  InteractiveAuth& interactive_auth;
  ProfileJob& profile_job;
};

}  // namespace backplane::client_api
