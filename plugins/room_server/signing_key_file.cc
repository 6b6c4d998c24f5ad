#include "signing_key_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

namespace backplane::room_server {
namespace {

Error failed(const std::string& what, const std::string& path) {
  return unavailable("signing_key", what + " the signing key " + path + ": " + std::strerror(errno));
}

/// The whole file is there or none of it: it is written under another name.
Result<void> write_key(const std::string& path, const std::string& line) {
  // Its own name: another host that has the same path may be at it, too.
  const std::string temporary = path + "." + std::to_string(::getpid()) + ".new";
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return failed("cannot create", temporary);
  const bool written =
      ::write(file, line.data(), line.size()) == static_cast<ssize_t>(line.size()) && ::fsync(file) == 0;
  const bool closed = ::close(file) == 0;
  // link() fails where rename() would put a new key in the place of one that came meanwhile.
  if (!written || !closed || ::link(temporary.c_str(), path.c_str()) != 0) {
    Error error = failed("cannot write", path);
    ::unlink(temporary.c_str());
    return error;
  }
  ::unlink(temporary.c_str());
  return {};
}

}  // namespace

Result<matrix::SigningKey> load_signing_key(const std::string& path, Random& random) {
  errno = 0;
  if (::access(path.c_str(), F_OK) != 0 && errno == ENOENT) {
    BACKPLANE_TRY(key, matrix::SigningKey::generate("a_" + random.text(4), random));
    BACKPLANE_CHECK(write_key(path, key.key_file_line() + "\n"));
    return std::move(key);
  }
  std::ifstream file(path);
  std::string line;
  if (!std::getline(file, line)) return failed("cannot read", path);
  auto key = matrix::SigningKey::from_key_file_line(line);
  if (!key) return invalid("bad_key", path + ": " + key.error().text);
  return key;
}

}  // namespace backplane::room_server
