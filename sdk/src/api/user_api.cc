#include "backplane/api/user_api.h"

#include "backplane/api/method_description.h"

namespace backplane::api {

UserApi::UserApi() : Interface(interface_id) {}
UserApi::~UserApi() = default;

}  // namespace backplane::api
