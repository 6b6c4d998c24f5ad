// Catches internal calls that are made while a lane, a lock or a transaction is held.
#include <cstdio>
#include <cstdlib>
#include <string>

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
  std::fprintf(stderr, "the internal method %s was called while %s was held\n", std::string(method).c_str(), held);
  std::abort();
#endif
}

}  // namespace backplane::api
