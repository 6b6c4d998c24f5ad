// The schema of client_api's store, step by step.
#pragma once

#include <vector>

#include "backplane/storage/store.h"

namespace backplane::client_api {

std::vector<storage::Migration> migrations();

}  // namespace backplane::client_api
