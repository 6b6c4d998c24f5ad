// plugin.json, the one description of a plugin: the host reads it before it loads any code, checks the wiring of all
// plugins with it, and holds the plugin to it afterwards.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/result.h"
#include "backplane/plugin/options.h"

namespace backplane::plugin {

/// hard: acyclic, gives the start order. late: may close a cycle; connected before start, not to be called during
/// start. optional: may have no provider.
enum class Need : std::uint8_t { hard, late, optional };

struct Requirement {
  std::string interface_id;
  Need need = Need::hard;
  std::string wire;  ///< the wire's name in docs, metrics and tests; may be empty
};

struct OptionSpec {
  std::string name;
  OptionType type = OptionType::string;
  OptionValue default_value;
  bool required = false;  ///< there is no default
  bool reloadable = false;
  bool shared = false;  ///< a path: the same file for all hosts that run the plugin, there before they start
  std::optional<std::int64_t> minimum, maximum;  ///< in the type's unit
  std::vector<std::string> choices;              ///< of an enumeration
  std::string doc;
};

struct ConsumedTopic {
  std::string topic;
  std::string log;           ///< the log's number in docs; may be empty
  std::string subscription;  ///< "consume", "tail" or "both"
  std::string from;          ///< "snapshot" or "now"
};

struct PublishedTopic {
  std::string topic;
  bool durable = true;
};

struct Manifest {
  std::string name;
  std::string version;
  int sdk_abi = 0;
  std::string summary;
  std::string status;    ///< stable, beta, experimental
  std::string exposure;  ///< public (faces the network) or internal
  int tier = 2;
  bool several_hosts = false;  ///< whether more than one host of a server may run it ("hosts": "several")
  std::vector<std::string> provides;
  std::vector<Requirement> requires_;
  std::vector<PublishedTopic> publishes;
  std::vector<ConsumedTopic> consumes;
  std::vector<std::string> routes;  ///< "GET /path/{parameter}"
  std::vector<OptionSpec> options;
  std::string sha256;  ///< of the text it was read from, in hex

  /// nullptr when there is no such option.
  BACKPLANE_API const OptionSpec* find_option(std::string_view name) const;
};

/// Reads a manifest; the error names the member and what it should be. Unknown members are errors.
BACKPLANE_API Result<Manifest> parse_manifest(std::string_view text);

}  // namespace backplane::plugin
