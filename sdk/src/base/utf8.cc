#include <simdjson.h>

#include "backplane/base/encoding.h"

namespace backplane {

bool is_utf8(std::string_view bytes) { return simdjson::validate_utf8(bytes.data(), bytes.size()); }

}  // namespace backplane
