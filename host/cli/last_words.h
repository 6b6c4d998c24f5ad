// What the process says before it ends by an exception that no thread caught: which thread it was, and why. A
// consumer's or a relay's thread that is gone would leave a server behind that looks well and does half of its work, so
// all of it ends, and whoever watches it starts it again. Used by main, once, before there are threads.
#pragma once

namespace backplane::host {

/// From now on std::terminate writes a fault to the standard error output, and aborts.
void install_last_words();

}  // namespace backplane::host
