#include "host/http/route_table.h"

#include <algorithm>
#include <utility>

#include "backplane/base/encoding.h"

namespace backplane::host {
namespace {

using http::Method;

/// More segments than any pattern may have.
constexpr std::size_t max_segments = 32;

struct Piece {
  enum class Kind : std::uint8_t { literal, parameter, rest };
  Kind kind = Kind::literal;
  std::vector<std::string> words;  ///< a literal and its alternatives, or a parameter's name
};

Error bad_pattern(const Route& route, const std::string& why) {
  return invalid("bad_pattern", "Plugin " + route.plugin + " declared the route " +
                                    std::string(to_string(route.method)) + " " + route.pattern + ": " + why);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

Result<std::vector<Piece>> parse(const Route& route) {
  if (!route.pattern.starts_with('/')) return bad_pattern(route, "it does not begin with a slash");
  std::vector<Piece> pieces;
  for (std::string_view segment : split(std::string_view(route.pattern).substr(1), '/')) {
    if (!pieces.empty() && pieces.back().kind == Piece::Kind::rest) return bad_pattern(route, "{...} is not the last");
    Piece piece;
    if (segment.starts_with('{') && segment.ends_with('}')) {
      std::string_view name = segment.substr(1, segment.size() - 2);
      piece.kind = name.ends_with("...") ? Piece::Kind::rest : Piece::Kind::parameter;
      if (piece.kind == Piece::Kind::rest) name.remove_suffix(3);
      if (name.empty()) return bad_pattern(route, "a parameter has no name");
      piece.words.emplace_back(name);
    } else if (segment.find_first_of("{}") != std::string_view::npos) {
      return bad_pattern(route, "a parameter is a whole segment");
    } else {
      for (const std::string_view word : split(segment, '|')) piece.words.emplace_back(word);
    }
    pieces.push_back(std::move(piece));
  }
  if (pieces.size() > max_segments) return bad_pattern(route, "it has too many segments");
  return pieces;
}

}  // namespace

/// A place in the tree: what patterns that share their first segments go on with.
struct RouteTable::Node {
  std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
  std::unique_ptr<Node> parameter;
  std::unique_ptr<Node> rest;
  std::vector<const Route*> ends;  ///< routes whose pattern ends here, one a method

  Node& child(std::unique_ptr<Node>& place) {
    if (!place) place = std::make_unique<Node>();
    return *place;
  }
};

struct RouteTable::Search {
  Surfaces surfaces;
  std::optional<Method> method;
  std::vector<std::string_view> segments;  ///< decoded
  std::string_view path;                   ///< as it came, without the first slash
  const Route* found = nullptr;
  std::vector<Method> allowed{};

  bool take(const Node& node) {
    const Route* get = nullptr;
    for (const Route* route : node.ends) {
      if (!surfaces.has(route->surface)) continue;
      if (route->method == method) found = route;
      if (route->method == Method::get) get = route;
      if (std::find(allowed.begin(), allowed.end(), route->method) == allowed.end()) allowed.push_back(route->method);
    }
    if (found == nullptr && method == Method::head) found = get;
    return found != nullptr;
  }

  /// Literals first, then a parameter, then the rest; a branch without the method is left again.
  bool descend(const Node& node, std::size_t depth) {
    if (depth == segments.size()) return take(node);
    if (const auto it = node.literals.find(segments[depth]);
        it != node.literals.end() && descend(*it->second, depth + 1)) {
      return true;
    }
    // COMPAT: an empty last segment is a value: clients send `/state/m.room.name/` for the empty state key.
    const bool may_bind = !segments[depth].empty() || (depth + 1 == segments.size() && depth > 0);
    if (node.parameter && may_bind && descend(*node.parameter, depth + 1)) return true;
    return node.rest && take(*node.rest);
  }
};

RouteTable::RouteTable() : root_(std::make_unique<Node>()) {}
RouteTable::~RouteTable() = default;

Result<void> RouteTable::add(std::unique_ptr<Route> route) {
  BACKPLANE_TRY(pieces, parse(*route));
  // Alternatives multiply: each combination gets a place of its own.
  std::vector<Node*> ends{root_.get()};
  for (const Piece& piece : pieces) {
    std::vector<Node*> next;
    for (Node* node : ends) {
      if (piece.kind == Piece::Kind::parameter) next.push_back(&node->child(node->parameter));
      if (piece.kind == Piece::Kind::rest) next.push_back(&node->child(node->rest));
      if (piece.kind != Piece::Kind::literal) continue;
      for (const std::string& word : piece.words) next.push_back(&node->child(node->literals[word]));
    }
    ends = std::move(next);
  }
  for (const Node* node : ends) {
    for (const Route* other : node->ends) {
      if (other->method != route->method) continue;
      return conflict("duplicate_route", "Plugins " + other->plugin + " and " + route->plugin + " both declare " +
                                             std::string(to_string(route->method)) + " " + route->pattern +
                                             (other->pattern == route->pattern ? "" : " (as " + other->pattern + ")"));
    }
  }
  for (Node* node : ends) node->ends.push_back(route.get());
  routes_.push_back(std::move(route));
  return {};
}

Result<RouteMatch> RouteTable::find(Surfaces surfaces, std::optional<Method> method, std::string_view path) const {
  RouteMatch match;
  if (!path.starts_with('/')) return match;
  path.remove_prefix(1);
  if (static_cast<std::size_t>(std::count(path.begin(), path.end(), '/')) > 4 * max_segments) return match;
  Search search{surfaces, method, split(path, '/'), path};
  const std::vector<std::string_view> raw = search.segments;
  std::vector<std::string> decoded;  // of segments with escapes only; the views point into it
  decoded.reserve(raw.size());
  for (std::string_view& segment : search.segments) {
    if (segment.find('%') != std::string_view::npos) {
      auto text = percent_decode(segment);
      if (!text) return invalid("invalid_param", "The path has a broken percent escape");
      segment = decoded.emplace_back(*std::move(text));
    }
    if (!is_utf8(segment)) return invalid("invalid_param", "The path is not UTF-8");
  }
  if (!search.descend(*root_, 0)) {
    match.allowed = std::move(search.allowed);
    return match;
  }
  match.route = search.found;
  std::size_t depth = 0;
  for (const std::string_view segment : split(std::string_view(search.found->pattern).substr(1), '/')) {
    if (segment.starts_with('{')) {
      if (segment.ends_with("...}")) {
        const std::string_view rest = path.substr(static_cast<std::size_t>(raw[depth].data() - path.data()));
        match.parameters.push_back({std::string(segment.substr(1, segment.size() - 5)), *percent_decode(rest)});
        break;
      }
      match.parameters.push_back(
          {std::string(segment.substr(1, segment.size() - 2)), std::string(search.segments[depth])});
    }
    ++depth;
  }
  return match;
}

}  // namespace backplane::host
