// Opens sessions as a DatabaseConfig wants them: durability, cache, read-only, schema. Where the database is a server,
// it may be away: whoever wants a session then gets the failure at once, and only now and then is the server asked.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "backplane/storage/database.h"
#include "storage/soci_session.h"

namespace backplane::storage {

enum class SessionUse : std::uint8_t { write, read };
/// Throws Failure. Any thread.
using Connect = std::function<std::unique_ptr<SociSession>(SessionUse)>;

/// One session. Throws Failure. `name` is what it is called at the server, with that of the host.
std::unique_ptr<SociSession> connect(const DatabaseConfig& config, SessionUse use, std::string_view name = "tool");

/// `name` is what the sessions are called at the server, with that of the host. `clock` outlives what is answered.
Connect connector(const DatabaseConfig& config, std::string_view name, Clock& clock);

/// Waits that long.
void wait_for(Clock& clock, Duration time);

}  // namespace backplane::storage
