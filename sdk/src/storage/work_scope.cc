#include "storage/work_scope.h"

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "backplane/storage/session.h"

namespace backplane::storage {
namespace {

thread_local WorkScope::Kind current = WorkScope::Kind::none;

bool refuse(const char* what) {
#ifndef NDEBUG
  std::fprintf(stderr, "%s was called from inside the work or the completion of a store\n", what);
  std::abort();
#else
  static_cast<void>(what);
  return false;
#endif
}

}  // namespace

WorkScope::WorkScope(Kind kind) : outer_(current) { current = kind; }
WorkScope::~WorkScope() { current = outer_; }

bool WorkScope::may_wait(const char* what) { return current == Kind::none || refuse(what); }
bool WorkScope::may_use(const char* what) { return current != Kind::work || refuse(what); }

Error error_of_current_exception() {
  try {
    throw;
  } catch (const Failure& failure) {
    return failure.error();
  } catch (const std::exception& exception) {
    return internal_error(std::string("work of a store threw: ") + exception.what());
  } catch (...) {
    return internal_error("work of a store threw something that is no std::exception");
  }
}

}  // namespace backplane::storage
