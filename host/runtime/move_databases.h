// How a failed move of the databases (storage/move.h) is told to an operator.
#pragma once

#include <string>

#include "backplane/base/result.h"
#include "host/config/fault.h"

namespace backplane::host {

/// `from` is the folder of the SQLite files.
Fault fault_of_move(const Error& error, const std::string& from);

}  // namespace backplane::host
