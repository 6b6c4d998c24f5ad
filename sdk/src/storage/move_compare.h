// Whether a table is in PostgreSQL as it is in the SQLite file: every row of both is read, in the order of the primary
// key, as the server would read it, and every value is compared.
#pragma once

#include <cstdint>
#include <functional>

#include "storage/move_source.h"
#include "storage/soci_session.h"

namespace backplane::storage {

/// Throws conflict/rows_differ, with the key of the first row that differs. `on_rows` is told now and then how many
/// rows were equal.
void compare_table(MoveSource& source, SociSession& target, const MovedTable& table,
                   const std::function<void(std::int64_t)>& on_rows);

}  // namespace backplane::storage
