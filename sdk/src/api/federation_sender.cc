#include "backplane/api/federation_sender.h"

#include "backplane/api/method_description.h"

namespace backplane::api {

FederationSender::FederationSender() : Interface(interface_id) {}
FederationSender::~FederationSender() = default;

}  // namespace backplane::api
