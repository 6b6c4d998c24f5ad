// The wiring as a page: text for a terminal, Graphviz, or Markdown (docs/wiring.md, which CI compares). Made from the
// manifests alone, so that it cannot be out of date. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "backplane/plugin/manifest.h"

namespace backplane::host {

std::string wiring_as_text(const std::vector<plugin::Manifest>& manifests);
std::string wiring_as_dot(const std::vector<plugin::Manifest>& manifests);
std::string wiring_as_markdown(const std::vector<plugin::Manifest>& manifests);

}  // namespace backplane::host
