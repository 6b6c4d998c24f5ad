#include "backplane/plugin/manifest.h"

#include <algorithm>
#include <array>
#include <set>

#include "backplane/base/encoding.h"
#include "backplane/plugin/option_text.h"
#include "manifest_json.h"

namespace backplane::plugin {
namespace {

constexpr std::size_t max_manifest_bytes = 1024 * 1024;
constexpr std::string_view lower_case = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view word_characters = "abcdefghijklmnopqrstuvwxyz0123456789_";

/// snake_case without a double underscore, which separates the parts of an environment variable.
bool is_word(std::string_view text) {
  return !text.empty() && lower_case.find(text.front()) != std::string_view::npos &&
         text.find_first_not_of(word_characters) == std::string_view::npos && text.find("__") == std::string_view::npos;
}

std::string read_word(const ManifestNode& node) {
  std::string text = node.text();
  if (!is_word(text)) node.fail("expected a name in snake_case, found '" + text + "'");
  return text;
}

/// `backplane.room_server/1`: dotted names, a slash, a revision.
std::string read_interface_id(const ManifestNode& node) {
  std::string text = node.text();
  const auto slash = text.rfind('/');
  const bool right = slash != std::string::npos && slash > 0 && slash + 1 < text.size() &&
                     text.find_first_not_of("0123456789", slash + 1) == std::string::npos &&
                     text.find_first_of(" \t\r\n") == std::string::npos;
  if (!right) node.fail("expected an interface id such as backplane.room_server/1, found '" + text + "'");
  return text;
}

std::string read_route(const ManifestNode& node) {
  std::string text = node.text();
  const auto space = text.find(' ');
  constexpr std::array<std::string_view, 7> methods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
  const bool right = space != std::string::npos && text.compare(space, 2, " /") == 0 &&
                     std::ranges::find(methods, std::string_view(text).substr(0, space)) != methods.end();
  if (!right) node.fail("expected a route such as 'GET /path/{parameter}', found '" + text + "'");
  return text;
}

OptionType read_type(const ManifestNode& node) {
  const std::string name =
      node.one_of({"bool", "int", "string", "enum", "duration", "bytes", "path", "url", "secret", "list"});
  OptionType type = OptionType::boolean;
  while (to_string(type) != name) type = static_cast<OptionType>(static_cast<int>(type) + 1);
  return type;
}

/// A default or a bound: a JSON value of the type itself, or the text that config would have.
OptionValue read_value(const OptionSpec& option, const ManifestNode& node) {
  OptionValue value;
  if (node.is_string() && option.type != OptionType::list) {
    auto parsed = parse_value(option, node.json().get_ref<const std::string&>());
    if (!parsed) node.fail(parsed.error().text);
    value = std::move(*parsed);
  } else if (option.type == OptionType::boolean) {
    value = node.boolean();
  } else if (option.type == OptionType::list) {
    value = node.texts();
  } else if (option.type == OptionType::integer || option.type == OptionType::bytes) {
    value = node.integer();
  } else {
    node.fail("expected " + describe(option) + ", written as a string");
  }
  if (const auto checked = check_value(option, value); !checked) node.fail(checked.error().text);
  return value;
}

std::int64_t read_bound(const OptionSpec& option, const ManifestNode& node) {
  OptionSpec unbounded;
  unbounded.type = option.type;
  const OptionValue value = read_value(unbounded, node);
  if (!std::holds_alternative<std::int64_t>(value)) node.fail("only int, duration and bytes have a range");
  return std::get<std::int64_t>(value);
}

OptionSpec read_option(const ManifestNode& node) {
  node.expect_members(
      {"name", "type", "default", "required", "reloadable", "shared", "minimum", "maximum", "choices", "doc"});
  OptionSpec option;
  option.name = read_word(node.member("name"));
  if (option.name == "enabled") node.member("name").fail("every plugin has the option 'enabled': choose another name");
  option.type = read_type(node.member("type"));
  option.required = node.boolean_or("required", false);
  option.reloadable = node.boolean_or("reloadable", false);
  option.shared = node.boolean_or("shared", false);
  if (option.shared && option.type != OptionType::path) node.member("shared").fail("only path can be shared");
  option.doc = node.text("doc");
  if (node.has("choices")) {
    option.choices = node.member("choices").texts();
    if (option.type != OptionType::enumeration && option.type != OptionType::list)
      node.member("choices").fail("only enum and list have choices");
  }
  if (option.type == OptionType::enumeration && option.choices.empty())
    node.fail("an option of type enum needs 'choices'");
  if (node.has("minimum")) option.minimum = read_bound(option, node.member("minimum"));
  if (node.has("maximum")) option.maximum = read_bound(option, node.member("maximum"));
  if (option.minimum && option.maximum && *option.minimum > *option.maximum)
    node.fail("the minimum is above the maximum");
  if (option.required == node.has("default"))
    node.fail("option '" + option.name + "' needs either 'default' or \"required\": true");
  if (node.has("default")) option.default_value = read_value(option, node.member("default"));
  return option;
}

Requirement read_requirement(const ManifestNode& node) {
  node.expect_members({"interface", "need", "wire"});
  Requirement out;
  out.interface_id = read_interface_id(node.member("interface"));
  const std::string need = node.member("need").one_of({"hard", "late", "optional"});
  out.need = need == "hard" ? Need::hard : need == "late" ? Need::late : Need::optional;
  out.wire = node.text_or_empty("wire");
  return out;
}

PublishedTopic read_published(const ManifestNode& node) {
  node.expect_members({"topic", "durable"});
  return {read_word(node.member("topic")), node.boolean_or("durable", true)};
}

ConsumedTopic read_consumed(const ManifestNode& node) {
  node.expect_members({"topic", "log", "subscription", "from"});
  return {read_word(node.member("topic")), node.text_or_empty("log"),
          node.member("subscription").one_of({"consume", "tail", "both"}),
          node.member("from").one_of({"snapshot", "now"})};
}

/// No two of the same name in a list.
template <class T, class Name>
void expect_distinct(const std::vector<T>& list, std::string_view member, Name name) {
  std::set<std::string_view> seen;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (!seen.insert(name(list[i])).second)
      throw Malformed{"/" + std::string(member) + "/" + std::to_string(i),
                      "'" + std::string(name(list[i])) + "' is there twice"};
}

Manifest read_manifest(const ManifestNode& root) {
  root.expect_members({"name", "version", "sdk_abi", "summary", "status", "exposure", "tier", "hosts", "provides",
                       "requires", "publishes", "consumes", "routes", "options"});
  Manifest out;
  out.name = read_word(root.member("name"));
  out.version = root.text("version");
  const std::int64_t abi = root.member("sdk_abi").integer();
  if (abi < 1 || abi > 0xffff) root.member("sdk_abi").fail("expected the major version of the plugins' ABI");
  out.sdk_abi = static_cast<int>(abi);
  out.summary = root.text("summary");
  out.status = root.member("status").one_of({"stable", "beta", "experimental"});
  out.exposure = root.member("exposure").one_of({"public", "internal"});
  if (root.has("tier")) {
    const std::int64_t tier = root.member("tier").integer();
    if (tier != 1 && tier != 2) root.member("tier").fail("expected 1 or 2");
    out.tier = static_cast<int>(tier);
  }
  if (root.has("hosts")) out.several_hosts = root.member("hosts").one_of({"one", "several"}) == "several";
  for (const auto& node : root.elements_or_none("provides")) out.provides.push_back(read_interface_id(node));
  for (const auto& node : root.elements_or_none("requires")) out.requires_.push_back(read_requirement(node));
  for (const auto& node : root.elements_or_none("publishes")) out.publishes.push_back(read_published(node));
  for (const auto& node : root.elements_or_none("consumes")) out.consumes.push_back(read_consumed(node));
  for (const auto& node : root.elements_or_none("routes")) out.routes.push_back(read_route(node));
  for (const auto& node : root.elements_or_none("options")) out.options.push_back(read_option(node));
  expect_distinct(out.provides, "provides", [](const std::string& id) { return std::string_view(id); });
  expect_distinct(out.requires_, "requires", [](const Requirement& r) { return std::string_view(r.interface_id); });
  expect_distinct(out.publishes, "publishes", [](const PublishedTopic& t) { return std::string_view(t.topic); });
  expect_distinct(out.consumes, "consumes", [](const ConsumedTopic& t) { return std::string_view(t.topic); });
  expect_distinct(out.routes, "routes", [](const std::string& route) { return std::string_view(route); });
  expect_distinct(out.options, "options", [](const OptionSpec& option) { return std::string_view(option.name); });
  return out;
}

}  // namespace

const OptionSpec* Manifest::find_option(std::string_view wanted) const {
  const auto found = std::ranges::find(options, wanted, &OptionSpec::name);
  return found == options.end() ? nullptr : &*found;
}

Result<Manifest> parse_manifest(std::string_view text) {
  if (text.size() > max_manifest_bytes) return invalid("bad_manifest", "larger than 1 MiB");
  BACKPLANE_TRY(document, parse_strict_json(text));
  try {
    Manifest manifest = read_manifest(ManifestNode(document, ""));
    manifest.sha256 = hex(as_text(sha256(text)));
    return manifest;
  } catch (const Malformed& fault) {
    return invalid("bad_manifest", (fault.pointer.empty() ? "the manifest" : fault.pointer) + ": " + fault.what);
  }
}

}  // namespace backplane::plugin
