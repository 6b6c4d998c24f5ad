// Brings a database to the version that the plugin's migrations make, each in a transaction of its own, so that one
// that fails leaves the version before it. What was done is recorded in bp_migrations.
#pragma once

#include <span>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/result.h"
#include "backplane/storage/store.h"
#include "storage/soci_session.h"

namespace backplane::storage {

/// Errors: see open_store.
Result<void> migrate(SociSession& session, std::span<const Migration> migrations, Clock& clock, const Logger& logger);

}  // namespace backplane::storage
