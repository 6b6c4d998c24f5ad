#include "storage/advisory_lock.h"

#include "backplane/base/encoding.h"

namespace backplane::storage {
namespace {

/// The rows of pg_locks that are about a lock with a number of 64 bits: `?` its upper half, `?` its lower half.
#define BACKPLANE_LOCK_ROWS                                                                     \
  "l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND CAST(l.classid AS BIGINT) = ? " \
  "AND CAST(l.objid AS BIGINT) = ? AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"

std::int64_t upper_half(std::int64_t number) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(number) >> 32);
}
std::int64_t lower_half(std::int64_t number) { return number & 0xffffffff; }

}  // namespace

AdvisoryLock::AdvisoryLock(std::string_view schema, std::string_view name)
    : number_(static_cast<std::int64_t>(stable_hash("backplane/" + std::string(schema) + "/" + std::string(name)))) {}

bool AdvisoryLock::try_take(Session& session, Mode mode) const {
  return session.find<std::int64_t>(mode == Mode::exclusive
                                        ? "SELECT CASE WHEN pg_try_advisory_lock(?) THEN 1 ELSE 0 END"
                                        : "SELECT CASE WHEN pg_try_advisory_lock_shared(?) THEN 1 ELSE 0 END",
                                    {number_}) == 1;
}

void AdvisoryLock::give_back(Session& session) const {
  session.find<std::int64_t>("SELECT CASE WHEN pg_advisory_unlock(?) THEN 1 ELSE 0 END", {number_});
}

std::optional<AdvisoryLock::Holder> AdvisoryLock::find_holder(Session& session) const {
  auto row = session.find<std::int64_t, std::string, std::string>(
      "SELECT CAST(l.pid AS BIGINT), COALESCE(a.application_name, ''), COALESCE(host(a.client_addr), '') "
      "FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE " BACKPLANE_LOCK_ROWS,
      {upper_half(number_), lower_half(number_)});
  if (!row) return std::nullopt;
  auto& [pid, application, address] = *row;
  return Holder{pid, std::move(application), std::move(address)};
}

void AdvisoryLock::end_holder(Session& session, std::int64_t pid) const {
  session.find<std::int64_t>(
      "SELECT CASE WHEN pg_terminate_backend(l.pid) THEN 1 ELSE 0 END FROM pg_locks l WHERE l.pid = ? "
      "AND " BACKPLANE_LOCK_ROWS,
      {pid, upper_half(number_), lower_half(number_)});
}

}  // namespace backplane::storage
