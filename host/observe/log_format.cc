#include "host/observe/log_format.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>
#include <span>

#include "backplane/base/json.h"

namespace backplane::host {
namespace {

std::string time_text(std::int64_t wall_ms) {
  const std::time_t seconds = wall_ms / 1000;
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", parts.tm_year + 1900, parts.tm_mon + 1,
                parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, static_cast<int>(wall_ms % 1000));
  return text.data();
}

bool is_plain(std::string_view text) {
  return !text.empty() && std::ranges::none_of(text, [](char c) {
    return static_cast<unsigned char>(c) <= ' ' || c == '"' || c == '=' || c == '\\' || c == '\x7f';
  });
}

void append_text(std::string& out, std::string_view text) {
  if (is_plain(text)) {
    out += text;
  } else {
    json::append_quoted(out, text);
  }
}

std::string real_text(double value) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.6g", value);
  return text.data();
}

/// What the sentence of an event may not do is break the line.
void append_sentence(std::string& out, std::string_view text) {
  for (const char c : text) out += static_cast<unsigned char>(c) < ' ' ? ' ' : c;
}

}  // namespace

std::string format_text(const LogLine& line) {
  std::string out;
  out.reserve(160);
  out += time_text(line.wall_ms);
  out += ' ';
  const std::string_view level = to_string(line.level);
  out += level;
  out.append(level.size() < 5 ? 5 - level.size() : 0, ' ');
  out += ' ';
  append_sentence(out, line.component);
  out += ": ";
  append_sentence(out, line.event);
  for (const LogField& field : std::span(line.fields, line.count)) {
    out += ' ';
    out += field.name;
    out += '=';
    switch (field.kind) {
      case LogField::Kind::text: append_text(out, field.text); break;
      case LogField::Kind::integer: out += std::to_string(field.integer); break;
      case LogField::Kind::real: out += real_text(field.real); break;
      case LogField::Kind::boolean: out += field.integer != 0 ? "true" : "false"; break;
    }
  }
  return out;
}

std::string format_json(const LogLine& line) {
  constexpr std::array<std::string_view, 4> ours{"time", "level", "component", "event"};
  std::string out;
  out.reserve(200);
  json::Writer writer(out);
  writer.begin_object().member("time", time_text(line.wall_ms)).member("level", to_string(line.level));
  writer.member("component", line.component).member("event", line.event);
  for (const LogField& field : std::span(line.fields, line.count)) {
    const bool taken = std::ranges::find(ours, field.name) != ours.end();
    writer.key(taken ? std::string(field.name) + "_" : std::string(field.name));
    switch (field.kind) {
      case LogField::Kind::text: writer.string(field.text); break;
      case LogField::Kind::integer: writer.integer(field.integer); break;
      case LogField::Kind::real: writer.real(field.real); break;
      case LogField::Kind::boolean: writer.boolean(field.integer != 0); break;
    }
  }
  writer.end_object();
  return out;
}

}  // namespace backplane::host
