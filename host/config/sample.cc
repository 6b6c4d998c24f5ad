#include "host/config/sample.h"

#include <algorithm>
#include <cctype>
#include <vector>

#include "backplane/plugin/option_text.h"
#include "host/config/host_options.h"

namespace backplane::host {
namespace {

using plugin::OptionSpec;
using plugin::OptionType;
using plugin::OptionValue;

constexpr std::size_t text_width = 110;

/// A scalar as YAML reads it back: quoted when it would not be taken for itself.
std::string yaml_scalar(const std::string& text) {
  constexpr std::string_view special = "#:{}[],&*!|>'\"%@`\\";
  const bool plain = !text.empty() && text.front() != ' ' && text.back() != ' ' && text.front() != '-' &&
                     text.find_first_of(special) == std::string::npos && text != "null" && text != "~";
  if (plain) return text;
  std::string out = "'";
  for (const char c : text) out.append(c == '\'' ? 2 : 1, c);
  return out + "'";
}

std::string yaml_value(const OptionSpec& option) {
  if (const auto* list = std::get_if<std::vector<std::string>>(&option.default_value)) {
    std::string out;
    for (const auto& item : *list) out.append(out.empty() ? "" : ", ").append(yaml_scalar(item));
    return "[" + out + "]";
  }
  return yaml_scalar(plugin::format_value(option.type, option.default_value));
}

void append_comment(std::string& out, const std::string& indent, std::string_view text) {
  while (!text.empty()) {
    std::size_t length = std::min(text.find('\n'), text.size());
    if (length > text_width) {
      length = text.rfind(' ', text_width);
      if (length == std::string_view::npos || length == 0) length = std::min(text.find(' '), text.size());
    }
    out.append(indent).append("# ").append(text.substr(0, length)).append("\n");
    text.remove_prefix(std::min(length + 1, text.size()));
  }
}

/// With a capital at its beginning and a full stop at its end, whatever the manifest's author writes.
std::string as_sentence(std::string text) {
  if (text.empty()) return text;
  text.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(text.front())));
  if (std::string_view(".!?:").find(text.back()) == std::string_view::npos) text += '.';
  return text;
}

std::string sentence_of(const OptionSpec& option) {
  const bool plain_text = option.type == OptionType::string || option.type == OptionType::path ||
                          option.type == OptionType::secret || option.type == OptionType::url;
  std::string out = as_sentence(option.doc);
  if (!plain_text && !(option.type == OptionType::list && option.choices.empty())) {
    out += " " + as_sentence(plugin::describe(option));
  }
  if (option.required) out += " Required.";
  if (option.reloadable) out += " Reloaded on SIGHUP.";
  return out;
}

void append_option(std::string& out, const OptionSpec& option, const std::string& name, const std::string& indent) {
  append_comment(out, indent, sentence_of(option));
  out.append(indent).append("#").append(name).append(":");
  out.append(option.required ? "" : " " + yaml_value(option)).append("\n");
}

/// The options whose names begin with `prefix`, sections (`storage:`) below each other. The table has the options of a
/// section one after the other.
void append_options(std::string& out, std::span<const OptionSpec> table, const std::string& prefix,
                    const std::string& indent) {
  std::string section;
  for (const OptionSpec& option : table) {
    if (!option.name.starts_with(prefix)) continue;
    const std::string name = option.name.substr(prefix.size());
    const auto dot = name.find('.');
    if (dot == std::string::npos) {
      if (out.ends_with("\n") && indent.empty()) out += "\n";
      append_option(out, option, name, indent);
    } else if (name.substr(0, dot) != section) {
      section = name.substr(0, dot);
      out.append(indent.empty() ? "\n" : "").append(indent).append(section).append(":\n");
      append_options(out, table, prefix + section + ".", indent + "  ");
    }
  }
}

constexpr std::string_view listeners_sample = R"(
# Where requests are answered. `serves` names the surfaces: client, federation, media, internal. With TLS:
#   tls: {certificate: /path/fullchain.pem, key: /path/privkey.pem}    (reloaded on SIGHUP)
listeners:
  - bind: 127.0.0.1
    port: 8008
    serves: [client, media]
)";

constexpr std::string_view end_of_sample = R"(
# Which process runs what, when there are several (docs/operators/configuration.md, "Several hosts"):
#hosts:
#  front: {url: 'http://10.0.0.1:8500', plugins: [client_api, sync_api, user_api]}
#  rooms: {url: 'http://10.0.0.2:8500', plugins: [room_server, edu_server]}

# Plugins have files of their own in plugins.d. All run that are not disabled there or here:
#plugins:
#  edu_server:
#    enabled: false
)";

/// What the table of options says is accepted. Rates are numbers with a fraction, a type that plugins have no use for.
std::string expectation(const OptionSpec& option) {
  return option.name.ends_with(".per_second") ? "a number, 0 or more" : plugin::describe(option);
}

std::string markdown_cell(std::string text) {
  for (auto at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) text.insert(at, "\\");
  std::ranges::replace(text, '\n', ' ');
  return text;
}

void append_table(std::string& out, std::span<const OptionSpec> table) {
  out += "| option | expects | default | |\n|---|---|---|---|\n";
  for (const OptionSpec& option : table) {
    std::string usual = option.required ? "required" : yaml_value(option);
    if (usual == "''" || usual == "[]") usual = "none";
    else if (!option.required) usual = "`" + usual + "`";
    out += "| `" + option.name + "` | " + markdown_cell(expectation(option)) + " | " + markdown_cell(usual) + " | " +
           markdown_cell(as_sentence(option.doc)) + (option.reloadable ? " Reloaded on SIGHUP." : "") + " |\n";
  }
}

}  // namespace

std::string sample_config(std::string_view server_name, std::string_view data_dir) {
  std::string out =
      "# Backplane's config. What is commented out shows the default. After a change: `backplane check-config`.\n"
      "# Options of plugins are in plugins.d; any option can also be set in the environment\n"
      "# (BACKPLANE__STORAGE__ENGINE), and ${file:/path} stands for what a file holds.\n";
  std::vector<OptionSpec> table = host_options();
  const auto own = [&](std::string_view name, std::string_view value) {
    const auto option = std::ranges::find(table, name, &OptionSpec::name);
    out += "\n";
    append_comment(out, "", as_sentence(option->doc));
    out.append(name).append(": ").append(yaml_scalar(std::string(value))).append("\n");
    table.erase(option);
  };
  own("server_name", server_name);
  own("data_dir", data_dir);
  out += listeners_sample;
  append_options(out, table, "", "");
  return out + std::string(end_of_sample);
}

std::string sample_plugin_config(const plugin::Manifest& manifest) {
  std::string out = "# Options of plugin " + manifest.name + ".\n";
  append_comment(out, "", as_sentence(manifest.summary));
  out += "\n# Whether the plugin runs.\n#enabled: true\n";
  append_options(out, manifest.options, "", "");
  return out;
}

std::string option_docs(std::span<const plugin::Manifest> manifests) {
  std::string out =
      "# Options\n\nGenerated by `backplane generate-config --markdown`; a test compares it. How files, environment "
      "and\n"
      "secrets work together is in [configuration.md](configuration.md).\n\n## The host: backplane.yaml\n\n";
  append_table(out, host_options());
  out += "\n### An element of `listeners`\n\n";
  append_table(out, listener_options());
  out += "\n### A member of `hosts`\n\n";
  append_table(out, other_host_options());
  std::vector<const plugin::Manifest*> sorted;
  for (const auto& manifest : manifests) sorted.push_back(&manifest);
  std::ranges::sort(sorted, {}, &plugin::Manifest::name);
  for (const plugin::Manifest* manifest : sorted) {
    out += "\n## " + manifest->name + ": plugins.d/" + manifest->name + ".yaml\n\n" + as_sentence(manifest->summary) +
           "\n\n";
    if (manifest->options.empty()) out += "It has no options but `enabled`.\n";
    else append_table(out, manifest->options);
  }
  return out;
}

}  // namespace backplane::host
