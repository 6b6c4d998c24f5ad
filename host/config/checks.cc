#include "host/config/checks.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <map>

namespace backplane::host {
namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

bool is_address(const std::string& text) {
  unsigned char out[16];
  return inet_pton(AF_INET, text.c_str(), out) == 1 || inet_pton(AF_INET6, text.c_str(), out) == 1;
}

bool is_network(const std::string& text) {
  const auto slash = text.find('/');
  if (slash == std::string::npos) return is_address(text);
  const std::string address = text.substr(0, slash), bits = text.substr(slash + 1);
  const int most = address.find(':') == std::string::npos ? 32 : 128;
  return is_address(address) && is_digits(bits) && bits.size() <= 3 && std::stoi(bits) <= most;
}

/// host, host:port, address or [address of version 6]:port.
bool is_server_name(std::string_view name) {
  constexpr std::string_view host_characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-";
  if (name.empty() || name.size() > 230) return false;
  std::string_view port;
  if (name.front() == '[') {
    const auto end = name.find(']');
    if (end == std::string_view::npos || !is_address(std::string(name.substr(1, end - 1)))) return false;
    port = name.substr(end + 1);
  } else {
    const auto colon = std::min(name.find(':'), name.size());
    const auto host = name.substr(0, colon);
    if (host.empty() || host.find_first_not_of(host_characters) != std::string_view::npos) return false;
    port = name.substr(colon);
  }
  return port.empty() || (port.front() == ':' && port.size() <= 6 && is_digits(port.substr(1)));
}

class Checker {
 public:
  Checker(const Setting& root, const Config& config, std::vector<Fault>& faults)
      : root_(root), config_(config), faults_(faults) {}

  void check() {
    check_names();
    check_listeners();
    if (config_.storage.engine == StorageEngine::postgresql && config_.storage.connection.empty())
      report("storage.engine", "storage engine postgresql needs option 'storage.connection'", "",
             "set storage.connection, as in `host=localhost dbname=backplane user=backplane`");
    check_hosts();
  }

 private:
  /// The place of the option, or else of the file.
  Source place(std::string_view option) const {
    const Setting* setting = find_path(root_, option);
    return setting != nullptr ? setting->source : root_.source;
  }
  void report(std::string_view option, std::string what, std::string detail, std::string fix) {
    faults_.push_back(fault_at(place(option), std::move(what), std::move(detail), std::move(fix)));
  }

  void check_names() {
    if (!config_.server_name.empty() && !is_server_name(config_.server_name))
      report("server_name", "wrong value for option 'server_name'",
             "expected a name such as example.org or example.org:8448, found '" + config_.server_name + "'",
             "write the name alone, without https:// and without a path");
    for (const std::string& proxy : config_.trusted_proxies)
      if (!is_network(proxy))
        report("trusted_proxies", "wrong value for option 'trusted_proxies'",
               "expected addresses or networks, found '" + proxy + "'", "write them like 127.0.0.1 or 10.0.0.0/8");
  }

  void check_listeners() {
    std::map<std::pair<std::string, int>, std::string> taken;
    for (std::size_t i = 0; i < config_.listeners.size(); ++i) {
      const ListenerSettings& listener = config_.listeners[i];
      const std::string name = "listeners[" + std::to_string(i) + "]";
      if (listener.tls_certificate.empty() != listener.tls_key.empty())
        faults_.push_back(fault_at(listener.source, name + " has one half of TLS",
                                   "a certificate needs its key and a key its certificate",
                                   "set both tls.certificate and tls.key, or none"));
      if (!listener.tls_client_ca.empty() && !listener.tls())
        faults_.push_back(fault_at(listener.source, name + " has tls.client_ca without TLS", "",
                                   "set tls.certificate and tls.key, too"));
      if (listener.serves.empty())
        faults_.push_back(fault_at(listener.source, name + " serves nothing", "option 'serves' is empty",
                                   "name the surfaces, as in `serves: [client, media]`"));
      check_address(listener.bind, name + ".bind", listener.source);
      claim(taken, listener.bind, listener.port, name, listener.source);
    }
    if (!config_.operations.enabled) return;
    check_address(config_.operations.bind, "operations.bind", place("operations.bind"));
    claim(taken, config_.operations.bind, config_.operations.port, "the operations listener", place("operations.port"));
  }

  void check_address(const std::string& address, const std::string& name, const Source& where) {
    if (!is_address(address))
      faults_.push_back(fault_at(where, "wrong value for option '" + name + "'",
                                 "expected an address, found '" + address + "'",
                                 "write an address of this machine: 127.0.0.1, ::1, or 0.0.0.0 for all"));
  }

  void claim(std::map<std::pair<std::string, int>, std::string>& taken, const std::string& bind, int port,
             const std::string& name, const Source& where) {
    if (port == 0) return;
    const auto [entry, first] = taken.try_emplace({bind, port}, name);
    if (!first)
      faults_.push_back(fault_at(where, name + " wants a port that is taken",
                                 bind + ":" + std::to_string(port) + " belongs to " + entry->second,
                                 "give it a port of its own"));
  }

  void check_hosts() {
    if (config_.hosts.empty()) {
      if (!config_.this_host.empty())
        report("this_host", "option 'this_host' without 'hosts'", "", "describe the hosts, or remove this_host");
      return;
    }
    std::vector<std::string> names;
    for (const auto& [name, host] : config_.hosts) {
      names.push_back(name);
      const Setting* hosts = root_.find("hosts");
      const Setting* written = hosts != nullptr ? hosts->find(name) : nullptr;
      const bool has_url = written != nullptr && written->find("url") != nullptr;  // a wrong one is reported elsewhere
      if (host.url.empty() && !has_url && name != config_.this_host)
        faults_.push_back(fault_at(host.source, "host '" + name + "' has no url", "the other hosts could not reach it",
                                   "set url to where its internal listener is reached"));
    }
    if (config_.internal_tls.certificate.empty() != config_.internal_tls.key.empty())
      report("internal_tls", "internal_tls has one half of a certificate",
             "a certificate needs its key and a key its certificate",
             "set both internal_tls.certificate and internal_tls.key, or none");
    if (config_.this_host.empty())
      report("hosts", "option 'this_host' is missing", "there are hosts, and this process must be one of them",
             "set this_host, best with BACKPLANE__THIS_HOST");
    else if (!config_.hosts.contains(config_.this_host))
      report("this_host", "this_host is '" + config_.this_host + "', which is none of the hosts", "",
             suggest(config_.this_host, names, "name one of them"));
    if (config_.shared_secret.size() < 16)
      report(config_.shared_secret.empty() ? "hosts" : "shared_secret",
             "several hosts need a shared_secret of at least 16 characters",
             "it has " + std::to_string(config_.shared_secret.size()),
             "make one with `openssl rand -hex 32 > FILE` and set shared_secret to ${file:FILE}");
  }

  const Setting& root_;
  const Config& config_;
  std::vector<Fault>& faults_;
};

}  // namespace

void check_config(const Setting& root, const Config& config, std::vector<Fault>& faults) {
  Checker(root, config, faults).check();
}

}  // namespace backplane::host
