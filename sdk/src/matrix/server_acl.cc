#include "backplane/matrix/server_acl.h"

#include <algorithm>

#include "backplane/base/json.h"

namespace backplane::matrix {
namespace {

/// Server names are ASCII, so what is not in a pattern matches nothing however it is spelt.
std::string lower_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::string_view without_port(std::string_view server) {
  if (server.starts_with('[')) return server.substr(0, server.find(']') + 1);
  return server.substr(0, server.find(':'));
}

/// Spec: appendices, "Server Name": "[" IPv6address "]" or IPv4address, which is four times one to three digits.
bool is_ip_literal(std::string_view host) {
  if (host.starts_with('[')) return true;
  int groups = 1;
  std::size_t digits = 0;
  for (const char c : host) {
    if (c == '.' && digits != 0) {
      ++groups;
      digits = 0;
    } else if (c < '0' || c > '9' || ++digits > 3) {
      return false;
    }
  }
  return groups == 4 && digits != 0;
}

/// Spec: appendices, "Glob-style matching". Goes back to the last '*' only: what an earlier one could take instead,
/// that one can take too. So it takes no longer than the product of the lengths.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, taken = 0;  // the last '*', and where what comes after it was tried
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = t;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == text[t])) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool matches_any(const std::vector<std::string>& patterns, std::string_view host) {
  return std::ranges::any_of(patterns, [&](const std::string& pattern) { return matches(pattern, host); });
}

std::vector<std::string> patterns_in(json::View content, std::string_view key) {
  std::vector<std::string> patterns;
  for (const json::View pattern : content.find(key).value_or(json::View()).elements()) {
    if (const auto text = pattern.as_string()) patterns.push_back(lower_case(*text));
  }
  return patterns;
}

}  // namespace

ServerAcl::ServerAcl(std::string_view content) {
  const auto document = json::Document::parse(content);
  if (!document) return;
  const json::View root = document->root();
  allow_ip_literals_ = root.find_boolean("allow_ip_literals").value_or(true);
  allow_ = patterns_in(root, "allow");
  deny_ = patterns_in(root, "deny");
}

bool ServerAcl::allows(const ServerName& server) const {
  const std::string host = lower_case(without_port(server.view()));
  // Spec: Client-Server API, m.room.server_acl, 2 to 5.
  if (!allow_ip_literals_ && is_ip_literal(host)) return false;
  return !matches_any(deny_, host) && matches_any(allow_, host);
}

}  // namespace backplane::matrix
