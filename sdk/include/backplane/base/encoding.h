// Text forms of bytes, digests, and comparisons that take the same time whatever they compare. Pure functions.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "backplane/base/export.h"

namespace backplane {

/// Unpadded base64, as the Matrix specification uses it (Appendices, "Unpadded Base64").
BACKPLANE_API std::string base64(std::string_view bytes);
/// Unpadded base64 with `-` and `_` in place of `+` and `/`.
BACKPLANE_API std::string base64_url(std::string_view bytes);
/// Accepts either alphabet, padded or not; nothing for what is not base64.
BACKPLANE_API std::optional<std::string> decode_base64(std::string_view text);
BACKPLANE_API std::string hex(std::string_view bytes);
BACKPLANE_API std::optional<std::string> decode_hex(std::string_view text);
/// Percent-encodes all but the unreserved characters of RFC 3986.
BACKPLANE_API std::string percent_encode(std::string_view text);
/// Nothing for a broken escape. `plus_is_space` as in the query of a form.
BACKPLANE_API std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

using Sha256 = std::array<std::uint8_t, 32>;
BACKPLANE_API Sha256 sha256(std::string_view bytes);
inline std::string_view as_text(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}
/// Equality of secrets in constant time (for equal lengths).
BACKPLANE_API bool equal_secrets(std::string_view a, std::string_view b);
/// A stable 64-bit hash for sharding keys; the same in every version and on every machine (FNV-1a, then mixed).
BACKPLANE_API std::uint64_t stable_hash(std::string_view key);
/// Whether the bytes are well-formed UTF-8.
BACKPLANE_API bool is_utf8(std::string_view bytes);

}  // namespace backplane
