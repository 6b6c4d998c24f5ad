// What makes a submission repeatable: the key of the request that caused it. The plugin that owns the effect stores
// the key in the effect's transaction and answers a repeat with the first result.
#pragma once

#include <string>

#include "backplane/base/fields.h"
#include "backplane/matrix/ids.h"

namespace backplane::api {

/// Client-Server API, "Transaction identifiers": scoped to the device and the endpoint. Empty transaction_id: none.
struct IdempotencyKey {
  UserId user;
  DeviceId device;
  std::string endpoint;  ///< the route with its path parameters, so that two rooms do not share a scope
  TransactionId transaction_id;
  bool present() const { return !transaction_id.empty(); }
};
BACKPLANE_FIELDS(IdempotencyKey, user, device, endpoint, transaction_id);

}  // namespace backplane::api
