#include "backplane/api/server_key_api.h"

#include "backplane/api/method_description.h"

namespace backplane::api {

ServerKeyApi::ServerKeyApi() : Interface(interface_id) {}
ServerKeyApi::~ServerKeyApi() = default;

}  // namespace backplane::api
