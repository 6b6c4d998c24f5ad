// Homes of the log interfaces' vtables.
#include "backplane/log/log.h"
#include "backplane/log/transport.h"

namespace backplane::log {

Publisher::~Publisher() = default;
Tail::~Tail() = default;
Consumer::~Consumer() = default;
Log::~Log() = default;
Source::~Source() = default;
Feed::~Feed() = default;
Transport::~Transport() = default;
Result<void> Transport::carry_all(const std::vector<Source*>&, Instant) { return {}; }

}  // namespace backplane::log
