#include "backplane/storage/dialect.h"

#include <array>
#include <utility>

namespace backplane::storage {
namespace {

/// The end of the quoted text or comment that begins at `at`, or `at` when none begins there.
std::size_t skip_opaque(std::string_view sql, std::size_t at) {
  const char c = sql[at];
  if (c == '\'' || c == '"') {  // a doubled quote is seen as two texts side by side, which does no harm
    const auto end = sql.find(c, at + 1);
    return end == std::string_view::npos ? sql.size() : end + 1;
  }
  if (c == '-' && sql.substr(at, 2) == "--") {
    const auto end = sql.find('\n', at);
    return end == std::string_view::npos ? sql.size() : end;
  }
  return at;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view space = " \t\r\n";
  const auto begin = text.find_first_not_of(space);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

/// Whether there is anything but comments.
bool has_statement(std::string_view text) {
  for (std::string_view rest = trim(text); !rest.empty(); rest = trim(rest)) {
    if (!rest.starts_with("--")) return true;
    rest.remove_prefix(skip_opaque(rest, 0));
  }
  return false;
}

}  // namespace

std::string_view to_string(Engine engine) { return engine == Engine::sqlite ? "sqlite" : "postgresql"; }

std::string Dialect::fill_in(std::string_view sql) const {
  const std::array<std::pair<std::string_view, std::string_view>, 3> tokens{
      {{"{without_rowid}", engine_ == Engine::sqlite ? "WITHOUT ROWID" : ""},
       {"{row_number}", engine_ == Engine::sqlite ? "INTEGER PRIMARY KEY" : "BIGINT PRIMARY KEY"},
       {"{bytes}", "TEXT"}}};
  std::string out;
  out.reserve(sql.size());
  for (std::size_t i = 0; i < sql.size();) {
    bool filled = false;
    if (sql[i] == '{') {
      for (const auto& [token, text] : tokens) {
        if (sql.substr(i, token.size()) != token) continue;
        out += text;
        i += token.size();
        filled = true;
        break;
      }
    }
    if (!filled) out += sql[i++];
  }
  return out;
}

Dialect::Prepared Dialect::prepare(std::string_view sql) const {
  const std::string filled = fill_in(sql);
  Prepared out;
  out.sql.reserve(filled.size() + 16);
  for (std::size_t i = 0; i < filled.size();) {
    if (const auto end = skip_opaque(filled, i); end != i) {
      // Comments are left out: SOCI looks for parameters in them.
      if (filled[i] != '-') out.sql.append(filled, i, end - i);
      i = end;
    } else if (filled[i] == '?') {
      out.sql += ":p" + std::to_string(++out.placeholders);
      ++i;
    } else {
      out.sql += filled[i++];
    }
  }
  return out;
}

std::vector<std::string_view> Dialect::split(std::string_view sql) {
  std::vector<std::string_view> statements;
  std::size_t begin = 0;
  const auto add = [&](std::size_t end) {
    if (const auto statement = trim(sql.substr(begin, end - begin)); has_statement(statement))
      statements.push_back(statement);
  };
  for (std::size_t i = 0; i < sql.size();) {
    if (const auto end = skip_opaque(sql, i); end != i) {
      i = end;
      continue;
    }
    if (sql[i] == ';') {
      const auto next = sql.find_first_not_of(" \t\r", i + 1);
      if (next == std::string_view::npos || sql[next] == '\n' || sql.substr(next, 2) == "--") {
        add(i);
        begin = i + 1;
      }
    }
    ++i;
  }
  add(sql.size());
  return statements;
}

std::string Dialect::identifier(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out += '"';
}

// IMMEDIATE takes SQLite's write lock at once: a transaction that began as a reader could find that it cannot write.
std::string_view Dialect::begin_write() const { return engine_ == Engine::sqlite ? "BEGIN IMMEDIATE" : "BEGIN"; }
std::string_view Dialect::begin_read() const {
  return engine_ == Engine::sqlite ? "BEGIN" : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
}

}  // namespace backplane::storage
