// Knows whether this thread runs work of a store, so that work which calls a store is caught where it is written, and
// not as a server that stands still.
#pragma once

#include <cstdint>

#include "backplane/api/method.h"
#include "backplane/base/result.h"

namespace backplane::storage {

/// While one of these is on a thread's stack, it runs work (no store may be used, no internal call made) or completes
/// callers (nothing may be waited for).
class WorkScope {
 public:
  enum class Kind : std::uint8_t { none, completion, work };
  explicit WorkScope(Kind kind);
  ~WorkScope();
  WorkScope(const WorkScope&) = delete;
  WorkScope& operator=(const WorkScope&) = delete;

  /// May this thread wait for a store? Debug builds abort when not.
  static bool may_wait(const char* what);
  /// May this thread use a store at all? Debug builds abort when not.
  static bool may_use(const char* what);

 private:
  const Kind outer_;
};

/// A piece of work on this thread's stack.
class Working {
 public:
  Working() : scope_(WorkScope::Kind::work), no_calls_("the work of a store") {}

 private:
  WorkScope scope_;
  api::NoCalls no_calls_;
};

/// What an exception that left work becomes. Call it while one is handled.
Error error_of_current_exception();

}  // namespace backplane::storage
