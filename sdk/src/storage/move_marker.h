// The mark of a schema into which a move is under way: a table of notes that says how far it is. A schema that has it
// is no database yet. Functions run on a session of PostgreSQL and throw Failure like any statement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "storage/soci_session.h"

namespace backplane::storage::move_marker {

/// In the session's schema.
bool exists(SociSession& session);
/// Throws conflict/move_unfinished when a move into the session's schema has not ended. For who opens a store.
void check_absent(SociSession& session);

/// Makes the schema, which has no table, and marks it; removes the mark; removes the schema with all that is in it.
void create(SociSession& session, std::string_view schema);
void remove(SociSession& session, std::string_view schema);
void drop_schema(SociSession& session, std::string_view schema);

void note(SociSession& session, std::string_view what, std::string_view value);
void note(SociSession& session, std::string_view what, std::int64_t value);
std::optional<std::string> find_note(SociSession& session, std::string_view what);
/// Those that begin with that.
std::vector<std::pair<std::string, std::string>> list_notes(SociSession& session, std::string_view beginning);
void remove_note(SociSession& session, std::string_view what);
std::optional<std::int64_t> find_number(SociSession& session, std::string_view what);

}  // namespace backplane::storage::move_marker
