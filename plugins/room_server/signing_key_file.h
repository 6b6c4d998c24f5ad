// The file with the key that signs this server's events: one line, as homeservers keep it.
#pragma once

#include <string>

#include "backplane/base/random.h"
#include "backplane/base/result.h"
#include "backplane/matrix/signing.h"

namespace backplane::room_server {

/// Reads the key; when there is no file, makes one that only its owner may read. Errors: unavailable/signing_key and
/// invalid/bad_key, with texts that name the file.
Result<matrix::SigningKey> load_signing_key(const std::string& path, Random& random);

}  // namespace backplane::room_server
