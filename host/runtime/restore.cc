// What follows when an operator has put databases back from a backup.
#include "backplane/log/runtime.h"
#include "host/observe/log_sink.h"
#include "host/plugins/plugin_set.h"
#include "host/runtime/engine.h"

namespace backplane::host {
namespace {

void tell(const log::NewHistories& begun, std::ostream& out) {
  for (const log::NewHistory& history : begun.logs) {
    std::string topics;
    for (const std::string& topic : history.topics) topics += (topics.empty() ? "" : ", ") + topic;
    out << history.plugin << ": " << topics << ": another history\n";
  }
  for (const log::GroupInHistory& group : begun.groups) {
    out << group.plugin << ": " << group.topic << ": "
        << (group.goes_on ? "goes on where it was" : "begins anew, it has seen what the backup does not hold") << "\n";
  }
  out << "Start the server. Every client begins with a sync of all that there is.\n";
}

}  // namespace

std::vector<Fault> HostEngine::restore(const Config& config, std::ostream& out) {
  Faults faults;
  const auto [sink, server] = prepare_every_plugin(config, faults);
  if (!faults.empty()) return faults;
  log::NewHistories begun;
  if (faults = server->begin_histories(begun); faults.empty()) tell(begun, out);
  return faults;
}

}  // namespace backplane::host
