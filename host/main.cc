#include "host/cli/command_line.h"
#include "host/cli/last_words.h"
#include "host/cli/signals.h"
#include "host/runtime/engine.h"
#include "host/runtime/process_limits.h"

int main(int argc, char** argv) {
  // First of all, so that every thread inherits it: one thread waits for these signals (host/cli/signals.h).
  backplane::host::block_signals();
  backplane::host::install_last_words();
  backplane::host::raise_open_files_limit();
  backplane::host::HostEngine engine;
  return backplane::host::run_command_line(argc, argv, engine);
}
