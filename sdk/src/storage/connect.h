// Opens sessions as a DatabaseConfig wants them: durability, cache, read-only, schema.
#pragma once

#include <functional>
#include <memory>

#include "backplane/storage/database.h"
#include "storage/soci_session.h"

namespace backplane::storage {

enum class SessionUse : std::uint8_t { write, read };
using Connect = std::function<std::unique_ptr<SociSession>(SessionUse)>;

/// Throws Failure.
std::unique_ptr<SociSession> connect(const DatabaseConfig& config, SessionUse use);

}  // namespace backplane::storage
