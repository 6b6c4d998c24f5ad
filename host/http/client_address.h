// Whose address a request came from. Behind a reverse proxy it is in a header that any client can write, so it counts
// only when the peer is a proxy that the operator named (`trusted_proxies`). Immutable: any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/result.h"

namespace backplane::host {

/// IPv4 as ::ffff:a.b.c.d.
using IpAddress = std::array<std::uint8_t, 16>;
std::optional<IpAddress> parse_ip_address(std::string_view text);

class TrustedProxies {
 public:
  TrustedProxies() = default;
  /// Addresses and networks (`10.0.0.0/8`, `fd00::/8`). Errors: invalid/bad_network, naming the entry.
  static Result<TrustedProxies> parse(const std::vector<std::string>& entries);

  bool trusts(std::string_view address) const;
  /// The nearest address that no trusted proxy has, seen from here; `peer` when there is none.
  std::string client_of(std::string_view peer, std::string_view forwarded_for) const;
  bool empty() const { return networks_.empty(); }

 private:
  struct Network {
    IpAddress address;
    unsigned bits;
  };
  std::vector<Network> networks_;
};

/// What an address counts as for limits: IPv6 clients have a network of 64 bits each, and may use any address in it.
std::string address_rate_key(std::string_view address);

}  // namespace backplane::host
