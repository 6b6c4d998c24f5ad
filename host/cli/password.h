// Asks for a password.
#pragma once

#include "backplane/base/result.h"
#include "host/cli/command.h"

namespace backplane::host {

/// From the terminal, twice and without showing it. Errors: invalid, when the two differ, when it is empty, or when
/// there is no terminal.
Result<std::string> ask_password();
/// The first line, without its end. Errors: invalid when it is empty.
Result<std::string> read_password(std::istream& in);

}  // namespace backplane::host
