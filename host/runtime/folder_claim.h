// Two servers on one data folder would each number records as if the other were not there. A claim is a lock on the
// folder that the system drops when the process ends, however it ends.
#pragma once

#include <string>
#include <utility>

#include "backplane/base/result.h"

namespace backplane::host {

class FolderClaim {
 public:
  /// Errors: conflict/in_use, unavailable.
  static Result<FolderClaim> take(const std::string& folder);
  FolderClaim(FolderClaim&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  FolderClaim& operator=(FolderClaim&&) = delete;
  ~FolderClaim();

 private:
  explicit FolderClaim(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace backplane::host
