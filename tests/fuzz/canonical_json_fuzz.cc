// JSON texts: what parses has one canonical form.
#include "backplane/base/encoding.h"
#include "backplane/base/json.h"
#include "backplane/matrix/canonical_json.h"
#include "fuzz.h"

using namespace backplane;
using fuzz::promise;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(reinterpret_cast<const char*>(data), size);
  (void)json::find_raw(text, "a");
  (void)json::unquote(text);
  if (is_utf8(text)) promise(json::unquote(json::quoted(text)) == text, "what is quoted can be unquoted");

  json::ParseLimits strict;
  strict.strict_numbers = true;
  const bool strict_ok = json::Document::parse(text, strict).ok();
  const auto document = json::Document::parse(text);
  promise(document.ok() || !strict_ok, "what strict parsing takes, lax parsing takes");
  if (!document) return 0;
  promise(document->root().has_strict_numbers() == strict_ok, "strictness is one thing");

  const std::string canonical = document->root().canonical();
  promise(is_utf8(canonical), "the canonical form is UTF-8");
  const auto again = json::Document::parse(canonical);
  promise(again.ok(), "the canonical form parses");
  promise(again->root().canonical() == canonical, "the canonical form is its own");
  promise(!strict_ok || again->root().has_strict_numbers(), "strict numbers stay strict");
  if (!document->root().is_object()) return 0;
  const std::string bytes = matrix::signed_bytes(document->root());
  promise(json::Document::parse_object(bytes).ok(), "what is signed is an object");
  (void)matrix::signatures_of(document->root());
  for (const auto& [key, value] : document->root().members()) {
    if (key.find_first_of("\\\"") == std::string_view::npos && json::quoted(key).size() == key.size() + 2) {
      promise(json::find_raw(canonical, key).has_value(), "the scanner finds what the parser found");
    }
  }
  return 0;
}
