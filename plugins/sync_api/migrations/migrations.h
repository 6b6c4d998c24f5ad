// The tables of the index (README.md says what each is for).
#pragma once

#include <vector>

#include "backplane/storage/store.h"

namespace backplane::sync_api {

std::vector<storage::Migration> migrations();

}  // namespace backplane::sync_api
