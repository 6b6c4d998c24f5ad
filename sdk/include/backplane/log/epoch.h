// The names of logs' histories (epochs). A log begins one when its database is made, and another when a backup was
// restored: positions mean something within one of them only. Transports and the log layer use it. Pure functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/random.h"

namespace backplane::log {

/// A name unlike any other, for a history that begins now: `<milliseconds>.<random>`.
BACKPLANE_API std::string new_epoch(Clock& clock, Random& random);
/// Whether `epoch` began after `other`, when their names tell.
BACKPLANE_API std::optional<bool> began_later(std::string_view epoch, std::string_view other);

}  // namespace backplane::log
