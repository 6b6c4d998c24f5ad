#include "backplane/storage/database.h"

#include <string>
#include <utility>

#include "storage/group_commit.h"
#include "storage/migrate.h"
#include "storage/move_marker.h"
#include "storage/work_scope.h"

namespace backplane::storage {
namespace {

void tell_hook(CommitHook& hook, SociSession& session) {
  session.execute(session.dialect().begin_write());
  hook.opened(session);
  session.execute("COMMIT");
}

}  // namespace

Result<std::unique_ptr<Store>> open_store(const DatabaseConfig& config, std::string_view name,
                                          std::span<const Migration> migrations, Clock& clock, Metrics* metrics,
                                          Logger logger, CommitHook* hook) {
  try {
    Connect connect_again = [config](SessionUse use) { return connect(config, use); };
    auto writer = connect_again(SessionUse::write);
    move_marker::check_absent(*writer);
    auto migrated = migrate(*writer, migrations, clock, logger);
    if (!migrated.ok()) {
      Error error = std::move(migrated).error();
      error.text = "database '" + std::string(name) + "': " + error.text;
      return error;
    }
    // A transaction that this leaves open ends with the session.
    if (hook != nullptr) tell_hook(*hook, *writer);
    return std::unique_ptr<Store>(std::make_unique<GroupCommit>(
        GroupCommit::Sizes{config.read_sessions, config.max_batch}, std::move(connect_again), std::move(writer), clock,
        metrics, std::move(logger), hook));
  } catch (...) {
    Error error = error_of_current_exception();
    error.text = "database '" + std::string(name) + "': " + error.text;
    return error;
  }
}

}  // namespace backplane::storage
