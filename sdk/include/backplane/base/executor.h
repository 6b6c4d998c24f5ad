// Where work runs that is not on the caller's thread.
#pragma once

#include <functional>

#include "backplane/base/export.h"

namespace backplane {

class BACKPLANE_API Executor {
 public:
  virtual ~Executor();
  /// Runs the work once, soon, on a thread of the executor; false when its queue is full or it is stopping (the work
  /// is then not run). Work must not throw: what escapes is logged and dropped.
  virtual bool submit(std::function<void()> work) = 0;
};

}  // namespace backplane
