// Catches internal calls that are made while a lane, a lock or a transaction is held.
#include <cstdio>
#include <cstdlib>

#include "backplane/api/method.h"

namespace backplane::api {
namespace {
thread_local const char* held = nullptr;
}  // namespace

NoCalls::NoCalls(const char* what) : outer_(held) { held = what; }
NoCalls::~NoCalls() { held = outer_; }

void NoCalls::check([[maybe_unused]] std::string_view method) {
#ifndef NDEBUG
  if (held == nullptr) return;
  std::fprintf(stderr, "backplane: internal call of %.*s while holding %s\n", static_cast<int>(method.size()),
               method.data(), held);
  std::abort();
#endif
}

}  // namespace backplane::api
