// The routes of the client-server API, a file for each group of endpoints. Each function adds its group's.
#pragma once

#include "backplane/http/routes.h"
#include "components.h"

namespace backplane::client_api {

void add_discovery_routes(http::Routes& routes, Components& components);
void add_registration_routes(http::Routes& routes, Components& components);
void add_login_routes(http::Routes& routes, Components& components);
void add_account_routes(http::Routes& routes, Components& components);
void add_device_routes(http::Routes& routes, Components& components);
void add_profile_routes(http::Routes& routes, Components& components);
void add_account_data_routes(http::Routes& routes, Components& components);
void add_room_creation_routes(http::Routes& routes, Components& components);
void add_membership_routes(http::Routes& routes, Components& components);
void add_sending_routes(http::Routes& routes, Components& components);
void add_room_state_routes(http::Routes& routes, Components& components);
void add_directory_routes(http::Routes& routes, Components& components);
void add_ephemeral_routes(http::Routes& routes, Components& components);
void add_to_device_routes(http::Routes& routes, Components& components);
void add_push_rule_routes(http::Routes& routes, Components& components);
void add_administration_routes(http::Routes& routes, Components& components);

}  // namespace backplane::client_api
