// The schema of user_api's store, step by step.
#pragma once

#include <vector>

#include "backplane/storage/store.h"

namespace backplane::user_api {

std::vector<storage::Migration> migrations();

}  // namespace backplane::user_api
