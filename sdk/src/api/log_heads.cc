#include "backplane/api/log_heads.h"

#include "backplane/api/method_description.h"

namespace backplane::api {

LogHeads::LogHeads() : Interface(interface_id) {}
LogHeads::~LogHeads() = default;

}  // namespace backplane::api
