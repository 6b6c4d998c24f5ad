// Between json::View and simdjson, for the two files that implement json.h.
#pragma once

#include <simdjson.h>

#include <cstring>

#include "backplane/base/json.h"

namespace backplane::json {

using simdjson::dom::element;
using simdjson::dom::element_type;

static_assert(sizeof(element) <= 16 && alignof(element) <= 8 && std::is_trivially_copyable_v<element>,
              "a View holds simdjson's element by value");

/// Integers that a double holds exactly: in [-(2^53)+1, 2^53-1].
inline bool is_strict_integer(std::int64_t number) {
  constexpr std::int64_t max = 9007199254740991;
  return number >= -max && number <= max;
}

/// Between a View and what simdjson has for it. A View of zeros is the value null of no document.
struct View::Access {
  static element of(const View& view) {
    element e;
    std::memcpy(static_cast<void*>(&e), view.element_, sizeof e);
    return e;
  }
  static View make(const element& e) {
    View view;
    std::memcpy(view.element_, &e, sizeof e);
    return view;
  }
  static bool has_document(const View& view) {
    const void* document = nullptr;
    std::memcpy(&document, view.element_, sizeof document);
    return document != nullptr;
  }
  static bool is(const View& view, element_type type) { return has_document(view) && of(view).type() == type; }
};

}  // namespace backplane::json
