#include <algorithm>
#include <charconv>
#include <filesystem>

#include "backplane/plugin/options.h"
#include "host/config/checks.h"
#include "host/config/config.h"
#include "host/config/files.h"
#include "host/config/host_options.h"
#include "host/config/layers.h"
#include "host/config/option_reader.h"
#include "host/config/yaml_reader.h"

namespace backplane::host {
namespace {

template <class Enum>
Enum choice_of(const std::string& word, std::initializer_list<std::string_view> words) {
  int index = 0;
  for (const auto candidate : words) {
    if (candidate == word) break;
    ++index;
  }
  return static_cast<Enum>(index);
}

/// Fills a Config from merged settings, one section a member function.
class ConfigReader {
 public:
  ConfigReader(const Layers& layers, Config& config, std::vector<Fault>& faults)
      : root_(layers.root), file_was_read_(layers.main_file_was_read), config_(config), faults_(faults) {}

  void read() {
    const ReadRules rules{
        "", "", config_.folder, config_.folder, "backplane.yaml", !file_was_read_, {"listeners", "hosts", "plugins"}};
    OptionValues values = read_options(root_, host_options(), rules, faults_);
    values.try_emplace("server_name", std::string());  // its absence is a fault already
    complete(values);
    options_ = plugin::Options(std::move(values));
    read_general();
    read_sections();
    read_rates();
    read_listeners();
    read_hosts();
    read_plugins();
    if (config_.public_base_url.empty()) config_.public_base_url = base_url_of_listeners();
  }

 private:
  /// What was wrong has its default from here on, so that everything else can be checked too.
  static void complete(OptionValues& values) {
    for (const auto& option : host_options())
      if (!option.required) values.try_emplace(option.name, option.default_value);
  }

  int number(std::string_view name) const { return static_cast<int>(options_.integer(name)); }

  void read_general() {
    config_.server_name = options_.text("server_name");
    config_.public_base_url = options_.text("public_base_url");
    while (config_.public_base_url.ends_with('/')) config_.public_base_url.pop_back();
    config_.data_dir = options_.text("data_dir");
    for (const std::string& folder : options_.list("plugin_dirs")) {
      if (folder == "default") std::ranges::move(default_plugin_dirs(), std::back_inserter(config_.plugin_dirs));
      else config_.plugin_dirs.push_back(absolute_path(folder, config_.folder));
    }
    config_.trusted_proxies = options_.list("trusted_proxies");
    config_.io_threads = number("io_threads");
    config_.drain_timeout = options_.duration("drain_timeout");
    config_.this_host = options_.text("this_host");
    config_.shared_secret = options_.text("shared_secret");
    config_.internal_tls = {options_.text("internal_tls.certificate"), options_.text("internal_tls.key"),
                            options_.text("internal_tls.ca")};
  }

  void read_sections() {
    config_.operations = {options_.boolean("operations.enabled"), options_.text("operations.bind"),
                          static_cast<std::uint16_t>(options_.integer("operations.port"))};
    config_.storage = {choice_of<StorageEngine>(options_.text("storage.engine"), {"sqlite", "postgresql"}),
                       options_.text("storage.connection"), options_.integer("storage.cache_bytes"),
                       choice_of<Synchronous>(options_.text("storage.synchronous"), {"full", "normal", "off"})};
    config_.log = {
        options_.text("log.transport"),
        choice_of<LogLevel>(options_.text("log.level"), {"trace", "debug", "info", "warning", "error", "off"}),
        choice_of<LogFormat>(options_.text("log.format"), {"text", "json"}), options_.text("log.file")};
    config_.workers = {number("workers.client"), number("workers.federation"), number("workers.media"),
                       number("workers.internal")};
    config_.limits = {options_.integer("limits.connections"),     options_.integer("limits.queued_requests"),
                      options_.integer("limits.parked_requests"), options_.integer("limits.header_bytes"),
                      options_.integer("limits.body_bytes"),      options_.duration("limits.header_timeout"),
                      options_.duration("limits.body_timeout"),   options_.duration("limits.idle_timeout")};
  }

  RateLimitSettings read_rate(const std::string& name) {
    const std::string path = "rate_limits." + name + ".per_second";
    const std::string& text = options_.text(path);
    RateLimitSettings out{0, options_.integer("rate_limits." + name + ".burst")};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.per_second);
    if (error != std::errc() || end != text.data() + text.size() || !(out.per_second >= 0 && out.per_second <= 1e6)) {
      const Setting* setting = find_path(root_, path);
      faults_.push_back(fault_at(setting != nullptr ? setting->source : root_.source,
                                 "wrong value for option '" + path + "'",
                                 "expected a number from 0 to 1000000, found '" + text + "'",
                                 "write a number such as 10 or 0.2; 0 is no limit"));
    }
    return out;
  }

  void read_rates() {
    config_.rate_limits = {read_rate("read"), read_rate("write"), read_rate("login"), read_rate("registration")};
  }

  /// The map or list of that name, unfolded; nothing when it is not set or of another kind, which is a fault.
  Setting container(std::string_view name, Setting::Kind kind) {
    const Setting* found = root_.find(name);
    Setting out = found != nullptr ? *found : Setting{};
    unfold(out, faults_);
    if (out.kind == kind || out.kind == Setting::Kind::none) return out;
    faults_.push_back(
        fault_at(out.source, "wrong value for option '" + std::string(name) + "'",
                 "expected " + std::string(to_string(kind)) + ", found " + std::string(to_string(out.kind)),
                 kind == Setting::Kind::list ? "begin each element with `- `, on a line of its own"
                                             : "write `name:` lines below it, indented"));
    return {};
  }

  void read_listeners() {
    const Setting list = container("listeners", Setting::Kind::list);
    for (std::size_t i = 0; i < list.children.size(); ++i) {
      Setting element = list.children[i];
      unfold(element, faults_);
      const std::string name = "listeners[" + std::to_string(i) + "]";
      if (!element.is_map()) {
        faults_.push_back(fault_at(element.source, "wrong value for option '" + name + "'",
                                   "expected a map, found " + std::string(to_string(element.kind)),
                                   "write `- bind: …`, and below it `port: …` and `serves: …`"));
        continue;
      }
      read_listener(element, name);
    }
  }

  void read_listener(const Setting& element, const std::string& name) {
    const ReadRules rules{"", name + ".", config_.folder, config_.folder, name};
    const std::size_t faults_before = faults_.size();
    OptionValues values = read_options(element, listener_options(), rules, faults_);
    if (faults_.size() != faults_before) return;
    const plugin::Options options(std::move(values));
    ListenerSettings listener;
    listener.bind = options.text("bind");
    listener.port = static_cast<std::uint16_t>(options.integer("port"));
    listener.tls_certificate = options.text("tls.certificate");
    listener.tls_key = options.text("tls.key");
    listener.tls_client_ca = options.text("tls.client_ca");
    for (const std::string& surface : options.list("serves"))
      listener.serves.push_back(choice_of<http::Surface>(surface, {"client", "federation", "media", "internal"}));
    listener.source = element.source;
    config_.listeners.push_back(std::move(listener));
  }

  void read_hosts() {
    for (const Setting& host : container("hosts", Setting::Kind::map).children) {
      const ReadRules rules{"", "hosts." + host.key + ".", config_.folder, config_.folder, "hosts." + host.key};
      const std::size_t faults_before = faults_.size();
      OptionValues values = read_options(host, other_host_options(), rules, faults_);
      const bool read = faults_.size() == faults_before;
      const plugin::Options options(std::move(values));
      config_.hosts[host.key] = read ? HostConfig{options.text("url"), options.list("plugins"), host.source}
                                     : HostConfig{"", {}, host.source};
    }
  }

  void read_plugins() {
    for (Setting& plugin : container("plugins", Setting::Kind::map).children) {
      unfold(plugin, faults_);
      PluginSettings& settings = config_.plugins[plugin.key];
      settings.options.kind = Setting::Kind::map;
      settings.options.source = plugin.source;
      if (plugin.kind == Setting::Kind::none) continue;
      if (!plugin.is_map()) {
        faults_.push_back(
            fault_at(plugin.source, "wrong value for option 'plugins." + plugin.key + "'",
                     "expected a map, found " + std::string(to_string(plugin.kind)),
                     "write the plugin's options below it, indented; to switch it off: `enabled: false`"));
        continue;
      }
      for (Setting& option : plugin.children) {
        if (option.key != "enabled") settings.options.children.push_back(std::move(option));
        else read_enabled(plugin.key, option, settings);
      }
    }
  }

  void read_enabled(const std::string& plugin, const Setting& option, PluginSettings& settings) {
    if (option.kind == Setting::Kind::none) return;
    settings.enabled_source = option.source;
    settings.enabled = option.text != "false";
    if (option.text == "true" || option.text == "false") return;
    faults_.push_back(fault_at(option.source, "wrong value for option 'enabled' of plugin " + plugin,
                               "expected true or false, found " +
                                   (option.is_scalar() ? "'" + option.text + "'" : std::string(to_string(option.kind))),
                               "write true or false"));
  }

  std::string base_url_of_listeners() const {
    for (const ListenerSettings& listener : config_.listeners) {
      if (std::ranges::find(listener.serves, http::Surface::client) == listener.serves.end()) continue;
      const std::string port = std::to_string(listener.port);
      if (!listener.tls()) return "http://localhost:" + port;
      return "https://" + config_.server_name.substr(0, config_.server_name.rfind(':')) +
             (listener.port == 443 ? "" : ":" + port);
    }
    return "http://localhost";
  }

  const Setting& root_;
  bool file_was_read_;
  Config& config_;
  std::vector<Fault>& faults_;
  plugin::Options options_;
};

}  // namespace

LoadedConfig load_config(const std::string& path, const Environment& environment) {
  LoadedConfig out;
  out.config.file = absolute_path(path, std::filesystem::current_path().string());
  out.config.folder = folder_of(out.config.file);
  Layers layers = read_layers(out.config.file, environment, out.faults);
  out.files = std::move(layers.files);
  ConfigReader(layers, out.config, out.faults).read();
  check_config(layers.root, out.config, out.faults);
  return out;
}

}  // namespace backplane::host
