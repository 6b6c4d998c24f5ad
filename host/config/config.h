// What an operator has decided, checked and typed. Read once at start (and again on SIGHUP, for what can be reloaded);
// immutable afterwards, so that any thread may read it.
//
// Layers, each over the one before: defaults, backplane.yaml, plugins.d/<plugin>.yaml, conf.d/*.yaml in the order of
// their names (both folders beside backplane.yaml), the environment (config/environment.h).
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/http/routes.h"
#include "host/config/environment.h"
#include "host/config/fault.h"
#include "host/config/setting.h"

namespace backplane::host {

struct ListenerSettings {
  std::string bind;
  std::uint16_t port = 0;       ///< 0: any that is free
  std::string tls_certificate;  ///< paths of PEM files; both are empty without TLS
  std::string tls_key;
  std::string tls_client_ca;  ///< whose certificates callers must show; empty: they need none
  std::vector<http::Surface> serves;
  Source source;

  bool tls() const { return !tls_certificate.empty(); }
};

struct OperationsConfig {
  bool enabled = true;
  std::string bind;
  std::uint16_t port = 0;
};

enum class StorageEngine : std::uint8_t { sqlite, postgresql };
enum class Synchronous : std::uint8_t { full, normal, off };

struct StorageConfig {
  StorageEngine engine = StorageEngine::sqlite;
  std::string connection;  ///< of PostgreSQL; a secret
  std::int64_t cache_bytes = 0;
  Synchronous synchronous = Synchronous::full;
};

enum class LogFormat : std::uint8_t { text, json };

struct LogConfig {
  std::string transport;  ///< the plugin is log_<transport>
  LogLevel level = LogLevel::info;
  LogFormat format = LogFormat::text;
  std::string file;  ///< empty: standard error
};

struct WorkersConfig {
  int client = 0, federation = 0, media = 0, internal = 0;
  int of(http::Surface surface) const;
};

struct LimitsConfig {
  std::int64_t connections = 0, queued_requests = 0, parked_requests = 0;
  std::int64_t header_bytes = 0, body_bytes = 0;
  Duration header_timeout{}, body_timeout{}, idle_timeout{};
};

struct RateLimitSettings {
  double per_second = 0;  ///< 0: no limit
  std::int64_t burst = 0;
};

struct RateLimitsConfig {
  RateLimitSettings read, write, login, registration;
  /// That of the class; no limit for `none`.
  RateLimitSettings of(http::RateClass rate) const;
};

/// What is set for one plugin, before its manifest was seen (build_options makes typed options of it).
struct PluginSettings {
  bool enabled = true;
  Setting options;        ///< a map, without `enabled`
  Source enabled_source;  ///< where `enabled` was set; empty when it was not
};

struct HostConfig {
  std::string url;  ///< of its internal listener
  std::vector<std::string> plugins;
  Source source;
};

/// For calls to hosts whose url is https. Paths of PEM files; each may be empty.
struct InternalTlsConfig {
  std::string certificate, key;  ///< what this host shows
  std::string ca;                ///< whose certificates the others must show; empty: any that the system trusts
};

struct Config {
  std::string file;    ///< backplane.yaml, absolute
  std::string folder;  ///< its folder
  std::string server_name;
  std::string public_base_url;           ///< without a slash at the end; never empty
  std::string data_dir;                  ///< absolute
  std::vector<std::string> plugin_dirs;  ///< absolute
  std::vector<std::string> trusted_proxies;
  std::vector<ListenerSettings> listeners;
  OperationsConfig operations;
  StorageConfig storage;
  LogConfig log;
  WorkersConfig workers;
  LimitsConfig limits;
  RateLimitsConfig rate_limits;
  int io_threads = 0;
  Duration drain_timeout{};
  std::map<std::string, PluginSettings, std::less<>> plugins;  ///< those that config mentions
  std::map<std::string, HostConfig, std::less<>> hosts;        ///< empty: all plugins run in this process
  std::string this_host;
  std::string shared_secret;
  InternalTlsConfig internal_tls;

  /// Whether config lets the plugin run: every one does that is not disabled.
  bool enabled(std::string_view plugin) const;
  /// Whether it runs in this process: it is enabled, and there are no hosts or this host lists it.
  bool runs_here(std::string_view plugin) const;
};

struct LoadedConfig {
  Config config;  ///< as far as it could be read
  std::vector<Fault> faults;
  std::vector<std::string> files;  ///< that were read, in the order of their layers
  bool ok() const { return faults.empty(); }
};

/// Reads every layer. All faults are in the answer, not just the first.
LoadedConfig load_config(const std::string& path, const Environment& environment);

/// What `default` in plugin_dirs stands for: the folder that belongs to the program, found from where it is.
std::vector<std::string> default_plugin_dirs();

}  // namespace backplane::host
