#include "storage/move_marker.h"

#include <charconv>
#include <utility>

namespace backplane::storage::move_marker {

bool exists(SociSession& session) {
  return session.find<std::int64_t>(
             "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'bp_move'") != 0;
}

void check_absent(SociSession& session) {
  if (session.dialect().engine() == Engine::postgresql && exists(session)) {
    throw Failure(conflict("move_unfinished", "a move of data into this database has not ended"));
  }
}

void create(SociSession& session, std::string_view schema) {
  const std::string name = Dialect::identifier(schema);
  session.execute_once("CREATE SCHEMA IF NOT EXISTS " + name);
  session.execute_once("CREATE TABLE " + name + ".bp_move (what TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL)");
}

void remove(SociSession& session, std::string_view schema) {
  session.execute_once("DROP TABLE " + Dialect::identifier(schema) + ".bp_move");
}

void drop_schema(SociSession& session, std::string_view schema) {
  session.execute_once("DROP SCHEMA " + Dialect::identifier(schema) + " CASCADE");
}

void note(SociSession& session, std::string_view what, std::string_view value) {
  session.execute(
      "INSERT INTO bp_move (what, value) VALUES (?, ?) ON CONFLICT (what) DO UPDATE SET value = excluded.value",
      {what, value});
}

void note(SociSession& session, std::string_view what, std::int64_t value) {
  note(session, what, std::string_view(std::to_string(value)));
}

std::optional<std::string> find_note(SociSession& session, std::string_view what) {
  return session.find<std::string>("SELECT value FROM bp_move WHERE what = ?", {what});
}

std::vector<std::pair<std::string, std::string>> list_notes(SociSession& session, std::string_view beginning) {
  std::vector<std::pair<std::string, std::string>> notes;
  session.each<std::string, std::string>("SELECT what, value FROM bp_move ORDER BY what", {},
                                         [&](std::string what, std::string value) {
                                           if (what.starts_with(beginning))
                                             notes.emplace_back(std::move(what), std::move(value));
                                         });
  return notes;
}

void remove_note(SociSession& session, std::string_view what) {
  session.execute("DELETE FROM bp_move WHERE what = ?", {what});
}

std::optional<std::int64_t> find_number(SociSession& session, std::string_view what) {
  const auto text = find_note(session, what);
  std::int64_t number = 0;
  if (!text || std::from_chars(text->data(), text->data() + text->size(), number).ec != std::errc()) return {};
  return number;
}

}  // namespace backplane::storage::move_marker
