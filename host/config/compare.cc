#include "host/config/compare.h"

#include <algorithm>
#include <map>
#include <set>

#include "backplane/base/encoding.h"
#include "backplane/plugin/option_text.h"
#include "host/config/plugin_options.h"

namespace backplane::host {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

/// `key=value` words as libpq reads them; values may be in single quotes.
std::map<std::string, std::string> connection_words(std::string_view text) {
  std::map<std::string, std::string> out;
  while (!text.empty()) {
    const std::size_t equals = text.find('=');
    if (equals == std::string_view::npos) break;
    std::string key(text.substr(0, equals));
    std::erase(key, ' ');
    text.remove_prefix(equals + 1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    const bool quoted = text.starts_with('\'');
    if (quoted) text.remove_prefix(1);
    const std::size_t end = std::min(text.find(quoted ? '\'' : ' '), text.size());
    out[key] = std::string(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

/// A name by which only the machine itself can mean the database.
bool is_here(const std::string& host) {
  return host.empty() || host.starts_with('/') || host == "localhost" || host.starts_with("127.") || host == "::1";
}

class Comparison {
 public:
  Comparison(const Config& first, const Config& other, std::span<const plugin::Manifest> manifests)
      : first_(first), other_(other), manifests_(manifests) {}

  Faults run() {
    expect_same("server_name", first_.server_name, other_.server_name);
    if (!equal_secrets(first_.shared_secret, other_.shared_secret))
      report("shared_secret differs between two hosts", "it is another one in " + first_.file,
             "give all hosts the same shared_secret");
    if (!first_.this_host.empty() && first_.this_host == other_.this_host)
      report("two files are of the same host", "this_host is '" + first_.this_host + "' in " + first_.file + ", too",
             "give each host a name of its own, or leave this_host to BACKPLANE__THIS_HOST");
    compare_hosts();
    compare_plugins();
    compare_databases();
    expect_same("log.transport", first_.log.transport, other_.log.transport);
    if (first_.log.transport == other_.log.transport) compare_logs();
    return std::move(faults_);
  }

 private:
  void report(std::string what, std::string detail, std::string fix) {
    faults_.push_back({std::move(what), std::move(detail), std::move(fix), other_.file, 0});
  }

  void expect_same(const std::string& option, const std::string& first, const std::string& other) {
    if (first == other) return;
    report(option + " differs between two hosts", "it is '" + other + "' here and '" + first + "' in " + first_.file,
           "make them the same");
  }

  void compare_hosts() {
    std::set<std::string> names;
    for (const auto& [name, host] : first_.hosts) names.insert(name);
    for (const auto& [name, host] : other_.hosts) names.insert(name);
    for (const std::string& name : names) {
      const auto first = first_.hosts.find(name), other = other_.hosts.find(name);
      if (first == first_.hosts.end() || other == other_.hosts.end()) {
        const bool here = other != other_.hosts.end();
        report("host '" + name + "' is in one file alone",
               "it is in " + (here ? other_.file : first_.file) + " and not in " + (here ? first_.file : other_.file),
               "describe the same hosts in every file");
        continue;
      }
      // A host may listen elsewhere than the others reach it; who calls it must agree.
      if (name != first_.this_host && name != other_.this_host)
        expect_same("hosts." + name + ".url", first->second.url, other->second.url);
      auto ours = first->second.plugins, theirs = other->second.plugins;
      std::ranges::sort(ours);
      std::ranges::sort(theirs);
      expect_same("hosts." + name + ".plugins", joined(ours), joined(theirs));
    }
  }

  void compare_plugins() {
    std::set<std::string> names;
    for (const auto& [name, settings] : first_.plugins) names.insert(name);
    for (const auto& [name, settings] : other_.plugins) names.insert(name);
    for (const std::string& name : names)
      expect_same("enabled of plugin " + name, first_.enabled(name) ? "true" : "false",
                  other_.enabled(name) ? "true" : "false");
  }

  void compare_databases() {
    if (first_.storage.engine != other_.storage.engine)
      return report("storage.engine differs between two hosts", "it is another one in " + first_.file,
                    "let all hosts use the same database");
    if (first_.storage.engine != StorageEngine::postgresql) return;
    auto ours = connection_words(first_.storage.connection), theirs = connection_words(other_.storage.connection);
    std::string differences;
    for (const std::string key : {"host", "port", "dbname"}) {
      if (ours[key] == theirs[key]) continue;
      if (key == "host" && (is_here(ours[key]) || is_here(theirs[key]))) continue;
      if (key == "port" && (ours[key].empty() ? "5432" : ours[key]) == (theirs[key].empty() ? "5432" : theirs[key]))
        continue;
      differences += (differences.empty() ? "" : "; ") + key + " is '" + theirs[key] + "' here and '" + ours[key] +
                     "' in " + first_.file;
    }
    if (!differences.empty())
      report("two hosts use different databases", std::move(differences),
             "let storage.connection of all name the same");
  }

  /// Brokers, prefix and the like; files and secrets may differ from machine to machine.
  void compare_logs() {
    const std::string name = "log_" + first_.log.transport;
    const auto manifest = std::ranges::find(manifests_, name, &plugin::Manifest::name);
    if (manifest == manifests_.end()) return;  // that it is not installed is said elsewhere
    const BuiltOptions ours = build_options(*manifest, first_), theirs = build_options(*manifest, other_);
    if (!ours.faults.empty() || !theirs.faults.empty()) return;  // as is what is wrong with them
    for (const plugin::OptionSpec& option : manifest->options) {
      if (option.type == plugin::OptionType::path || option.type == plugin::OptionType::secret) continue;
      expect_same("option " + option.name + " of plugin " + name, text_of(option, ours.options),
                  text_of(option, theirs.options));
    }
  }

  static std::string text_of(const plugin::OptionSpec& option, const plugin::Options& options) {
    const auto value = options.values().find(option.name);
    return value == options.values().end() ? std::string() : plugin::format_value(option.type, value->second);
  }

  const Config& first_;
  const Config& other_;
  const std::span<const plugin::Manifest> manifests_;
  Faults faults_;
};

}  // namespace

Faults compare_configs(const Config& first, const Config& other, std::span<const plugin::Manifest> manifests) {
  return Comparison(first, other, manifests).run();
}

}  // namespace backplane::host
