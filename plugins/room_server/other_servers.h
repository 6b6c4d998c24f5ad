// Who is asked for what other servers know, and for their signatures.
#pragma once

#include "backplane/api/federation_sender.h"
#include "backplane/api/server_key_api.h"
#include "backplane/base/executor.h"

namespace backplane::room_server {

struct OtherServers {
  Executor& workers;
  const api::FederationSender& federation;
  const api::ServerKeyApi& keys;

  bool can_ask() const { return static_cast<bool>(federation) && static_cast<bool>(keys); }
};

}  // namespace backplane::room_server
