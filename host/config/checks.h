// The rules of the host's config that span several options, or that a type cannot express.
#pragma once

#include <vector>

#include "host/config/config.h"

namespace backplane::host {

/// Adds what is wrong. `root` gives the places.
void check_config(const Setting& root, const Config& config, std::vector<Fault>& faults);

}  // namespace backplane::host
