#include "token.h"

#include <array>
#include <charconv>

namespace backplane::sync_api {
namespace {

/// The parts between underscores; false when there are more or fewer than wanted.
template <std::size_t n>
bool split(std::string_view text, std::array<std::string_view, n>& parts) {
  for (std::size_t i = 0; i < n; ++i) {
    const auto end = text.find('_');
    if ((end == std::string_view::npos) != (i + 1 == n)) return false;
    parts[i] = text.substr(0, end);
    if (end != std::string_view::npos) text.remove_prefix(end + 1);
  }
  return true;
}

template <class Integer>
bool parse_number(std::string_view text, Integer& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

/// The largest number is left out, to keep tokens short.
template <class Integer>
void append_number(std::string& out, Integer value, Integer absent) {
  out += '_';
  if (value != absent) out += std::to_string(value);
}
template <class Integer>
bool read_number(std::string_view text, Integer& value) {
  return text.empty() || parse_number(text, value);
}

bool is_epoch(std::string_view text) {
  return text.size() <= 32 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

std::string SyncToken::encode() const {
  std::string out = "s1_";
  out += epoch;
  for (const log::Positions* p : {&room_events, &client_data, &receipts, &send_to_device, &typing}) {
    out += '_';
    out += p->encode();
  }
  return out;
}

std::optional<SyncToken> SyncToken::decode(std::string_view text) {
  std::array<std::string_view, 7> parts;
  if (text.size() > 8192 || !split(text, parts) || parts[0] != "s1" || !is_epoch(parts[1])) return std::nullopt;
  SyncToken token;
  token.epoch = parts[1];
  std::size_t part = 2;
  for (log::Positions* p :
       {&token.room_events, &token.client_data, &token.receipts, &token.send_to_device, &token.typing}) {
    auto positions = log::Positions::decode(parts[part++]);
    if (!positions) return std::nullopt;
    *p = std::move(*positions);
  }
  return token;
}

std::string PageToken::encode() const {
  const PageToken none;
  std::string out = "t1";
  append_number(out, topological, none.topological);
  append_number(out, sequence, none.sequence);
  append_number(out, bound, none.bound);
  return out;
}

std::optional<PageToken> PageToken::decode(std::string_view text) {
  std::array<std::string_view, 4> parts;
  if (text.size() > 80 || !split(text, parts) || parts[0] != "t1") return std::nullopt;
  PageToken token;
  if (!read_number(parts[1], token.topological) || !read_number(parts[2], token.sequence) ||
      !read_number(parts[3], token.bound)) {
    return std::nullopt;
  }
  // Databases have no larger numbers.
  if (token.sequence > no_bound || token.bound > no_bound) return std::nullopt;
  return token;
}

Result<PageToken> parse_page_token(std::string_view text, std::uint16_t lane) {
  if (const auto token = PageToken::decode(text)) return *token;
  if (const auto token = SyncToken::decode(text)) {
    const Sequence position = token->room_events.of(lane);
    return PageToken::before(position < no_bound ? position + 1 : no_bound);
  }
  return invalid("invalid_param", "this is not a token that this server gave out");
}

}  // namespace backplane::sync_api
