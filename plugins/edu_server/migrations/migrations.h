// The schema of edu_server's store, step by step.
#pragma once

#include <vector>

#include "backplane/storage/store.h"

namespace backplane::edu_server {

std::vector<storage::Migration> migrations();

}  // namespace backplane::edu_server
