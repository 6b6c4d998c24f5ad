#include "backplane/plugin/plugin.h"

namespace backplane::plugin {

Timers::~Timers() = default;
Host::~Host() = default;
Wiring::~Wiring() = default;
Plugin::~Plugin() = default;

std::vector<std::string> Plugin::configure(const Options&) { return {}; }
Result<void> Plugin::start() { return {}; }
void Plugin::drain(Instant) {}
void Plugin::stop() {}
void* Plugin::extension(std::string_view) { return nullptr; }

}  // namespace backplane::plugin
