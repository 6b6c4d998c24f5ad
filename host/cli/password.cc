#include "host/cli/password.h"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <optional>

namespace backplane::host {
namespace {

constexpr char interrupt = 3, end_of_input = 4, backspace = 8, kill_line = 21, erase = 127;

/// The process's terminal with its echo off, until the object is gone. Keys that would send signals are read as
/// characters meanwhile, so that nothing ends the program while the echo is off.
class QuietTerminal {
 public:
  QuietTerminal() : fd_(::open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)) {
    if (fd_ < 0 || ::tcgetattr(fd_, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO | ICANON | ISIG);
    quiet.c_cc[VMIN] = 1;
    quiet.c_cc[VTIME] = 0;
    changed_ = ::tcsetattr(fd_, TCSAFLUSH, &quiet) == 0;
  }
  QuietTerminal(const QuietTerminal&) = delete;
  QuietTerminal& operator=(const QuietTerminal&) = delete;
  ~QuietTerminal() {
    if (changed_) (void)::tcsetattr(fd_, TCSAFLUSH, &before_);
    if (fd_ >= 0) (void)::close(fd_);
  }

  bool usable() const { return changed_; }
  /// Nothing when it was interrupted.
  std::optional<std::string> ask(std::string_view prompt) {
    say(prompt);
    std::string line;
    char c = 0;
    while (::read(fd_, &c, 1) == 1) {
      if (c == interrupt || c == end_of_input) break;
      if (c == '\n' || c == '\r') {
        say("\n");
        return line;
      }
      if (c == kill_line) line.clear();
      else if (c == backspace || c == erase) drop_last_character(line);
      else line += c;
    }
    say("\n");
    return std::nullopt;
  }

 private:
  static void drop_last_character(std::string& line) {
    while (!line.empty() && (static_cast<unsigned char>(line.back()) & 0xc0) == 0x80) line.pop_back();
    if (!line.empty()) line.pop_back();
  }
  void say(std::string_view text) const {
    [[maybe_unused]] const auto ignored = ::write(fd_, text.data(), text.size());
  }

  int fd_;
  termios before_{};
  bool changed_ = false;
};

}  // namespace

Result<std::string> ask_password() {
  QuietTerminal terminal;
  if (!terminal.usable())
    return invalid("no_terminal", "there is no terminal to ask for the password: use --password-stdin");
  const auto password = terminal.ask("Password: ");
  if (!password) return invalid("interrupted", "interrupted");
  if (password->empty()) return invalid("no_password", "the password is empty");
  const auto again = terminal.ask("Again: ");
  if (!again) return invalid("interrupted", "interrupted");
  if (*again != *password) return invalid("password_mismatch", "the two passwords differ");
  return *password;
}

Result<std::string> read_password(std::istream& in) {
  std::string line;
  std::getline(in, line);
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (line.empty()) return invalid("no_password", "the password is empty");
  return line;
}

}  // namespace backplane::host
