#include "host/http/client_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>

#include "backplane/base/encoding.h"

namespace backplane::host {
namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

/// Proxies may add a port, and brackets around IPv6: `[::1]:80`, `192.0.2.1:80`.
std::string_view without_port(std::string_view text) {
  if (text.starts_with('[')) return text.substr(1, text.find(']') - 1);
  if (std::count(text.begin(), text.end(), ':') == 1) return text.substr(0, text.find(':'));
  return text;
}

}  // namespace

std::optional<IpAddress> parse_ip_address(std::string_view text) {
  const std::string terminated(text);
  IpAddress address{};
  if (inet_pton(AF_INET6, terminated.c_str(), address.data()) == 1) return address;
  address = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET, terminated.c_str(), address.data() + 12) == 1) return address;
  return std::nullopt;
}

Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
  TrustedProxies proxies;
  for (const std::string& entry : entries) {
    const std::string_view text = entry;
    const std::size_t slash = text.find('/');
    const auto address = parse_ip_address(text.substr(0, slash));
    unsigned bits = 128;
    bool right = address.has_value();
    if (right && slash != std::string_view::npos) {
      const std::string_view count = text.substr(slash + 1);
      const auto [end, fault] = std::from_chars(count.data(), count.data() + count.size(), bits);
      right = fault == std::errc{} && end == count.data() + count.size();
      if (text.find(':') == std::string_view::npos) bits += 96;
      right = right && bits <= 128;
    }
    if (!right) return invalid("bad_network", "'" + entry + "' is neither an address nor a network such as 10.0.0.0/8");
    proxies.networks_.push_back({*address, bits});
  }
  return proxies;
}

bool TrustedProxies::trusts(std::string_view address) const {
  if (networks_.empty()) return false;
  const auto parsed = parse_ip_address(address);
  if (!parsed) return false;
  return std::any_of(networks_.begin(), networks_.end(), [&parsed](const Network& network) {
    const std::size_t whole = network.bits / 8;
    if (!std::equal(parsed->begin(), parsed->begin() + whole, network.address.begin())) return false;
    const unsigned left = network.bits % 8;
    return left == 0 || ((*parsed)[whole] ^ network.address[whole]) >> (8 - left) == 0;
  });
}

std::string TrustedProxies::client_of(std::string_view peer, std::string_view forwarded_for) const {
  std::string_view client = peer;
  // Each proxy appends whom it heard from: the list is read from its end, as far as it is to be believed.
  while (!forwarded_for.empty() && trusts(client)) {
    const std::size_t comma = forwarded_for.rfind(',');
    const std::string_view next = without_port(trimmed(forwarded_for.substr(comma + 1)));
    if (!parse_ip_address(next)) break;
    client = next;
    forwarded_for = comma == std::string_view::npos ? std::string_view{} : forwarded_for.substr(0, comma);
  }
  return std::string(client);
}

std::string address_rate_key(std::string_view address) {
  const auto parsed = parse_ip_address(address);
  if (!parsed) return std::string(address);
  const std::string_view bytes(reinterpret_cast<const char*>(parsed->data()), parsed->size());
  constexpr std::string_view ipv4_prefix("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
  return hex(bytes.starts_with(ipv4_prefix) ? bytes.substr(12) : bytes.substr(0, 8));
}

}  // namespace backplane::host
