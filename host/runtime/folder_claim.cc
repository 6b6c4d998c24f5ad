#include "host/runtime/folder_claim.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace backplane::host {

Result<FolderClaim> FolderClaim::take(const std::string& folder) {
  const int descriptor = open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return unavailable("", std::strerror(errno));
  FolderClaim claim(descriptor);
  if (flock(descriptor, LOCK_EX | LOCK_NB) == 0) return Result<FolderClaim>(std::move(claim));
  if (errno == EWOULDBLOCK) return conflict("in_use", "another backplane uses it");
  return unavailable("", std::strerror(errno));
}

FolderClaim::~FolderClaim() {
  if (descriptor_ >= 0) close(descriptor_);
}

}  // namespace backplane::host
