// The `signatures` object of events and other JSON, for the files that add to it.
#pragma once

#include <string>
#include <string_view>

#include "backplane/matrix/canonical_json.h"

namespace backplane::matrix {

/// The entries of a raw `signatures` object (canonical JSON).
std::vector<Signature> signatures_in(std::string_view raw_signatures);
/// Appends a raw `signatures` object in canonical form, with one entry added or replaced.
void append_signatures(std::string& out, std::vector<Signature> signatures, Signature added);

}  // namespace backplane::matrix
