#include "host/config/option_reader.h"

#include <algorithm>
#include <set>

#include "backplane/plugin/option_text.h"
#include "host/config/files.h"
#include "host/config/yaml_reader.h"

namespace backplane::host {
namespace {

using plugin::OptionSpec;
using plugin::OptionType;
using plugin::OptionValue;

class Reader {
 public:
  Reader(std::span<const OptionSpec> table, const ReadRules& rules, std::vector<Fault>& faults)
      : table_(table), rules_(rules), faults_(faults) {}

  OptionValues read(const Setting& map) {
    visit(map, "");
    for (const OptionSpec& option : table_) {
      if (seen_.contains(option.name)) continue;
      if (option.required) rules_.skip_missing ? void() : report_missing(option, map);
      else values_[option.name] = placed(option, option.default_value, rules_.default_folder);
    }
    return std::move(values_);
  }

 private:
  void visit(const Setting& map, const std::string& path) {
    for (const Setting& child : map.children) {
      const std::string name = path + child.key;
      const auto option = std::ranges::find(table_, name, &OptionSpec::name);
      if (option != table_.end()) {
        read_value(*option, child);
      } else if (is_section(name)) {
        Setting section = child;
        unfold(section, faults_);
        if (section.is_map()) visit(section, name + ".");
        else if (section.kind != Setting::Kind::none) report_section(section, name);
      } else if (!path.empty() || std::ranges::find(rules_.others, child.key) == rules_.others.end()) {
        report_unknown(child, path);
      }
    }
  }

  bool is_section(const std::string& name) const {
    return std::ranges::any_of(table_, [&](const OptionSpec& option) { return option.name.starts_with(name + "."); });
  }

  void read_value(const OptionSpec& option, const Setting& setting) {
    if (setting.kind == Setting::Kind::none) return;  // a key without a value: the default
    seen_.insert(option.name);
    Result<OptionValue> value = option.default_value;
    if (option.type != OptionType::list) {
      value = text_of(option, setting);
    } else {
      Setting list = setting;
      unfold(list, faults_);
      if (list.kind == Setting::Kind::none) return;  // reported by unfold
      value = list_of(option, list);
    }
    if (value) values_[option.name] = placed(option, std::move(*value), rules_.folder);
    else report_wrong(option, setting, value.error().text);
  }

  static Result<OptionValue> text_of(const OptionSpec& option, const Setting& setting) {
    if (setting.is_scalar()) return plugin::parse_value(option, setting.text);
    return invalid("bad_option", "expected " + describe(option) + ", found " + std::string(to_string(setting.kind)));
  }

  static Result<OptionValue> list_of(const OptionSpec& option, const Setting& setting) {
    if (!setting.is_list())
      return invalid("bad_option", "expected " + describe(option) + ", found " +
                                       (setting.is_scalar() ? "'" + setting.text + "'" : "a map"));
    std::vector<std::string> items;
    for (const Setting& item : setting.children) {
      if (!item.is_scalar())
        return invalid("bad_option",
                       "expected " + describe(option) + ", found in it " + std::string(to_string(item.kind)));
      items.push_back(item.text);
    }
    OptionValue value(std::move(items));
    BACKPLANE_CHECK(check_value(option, value));
    return value;
  }

  static OptionValue placed(const OptionSpec& option, OptionValue value, const std::string& folder) {
    auto* path = std::get_if<std::string>(&value);
    if (option.type == OptionType::path && path != nullptr && !path->empty()) *path = absolute_path(*path, folder);
    return value;
  }

  std::string named(std::string_view name) const {
    return "'" + rules_.prefix + std::string(name) + "'" + rules_.owner;
  }

  /// What somebody most likely meant who wrote this; empty when that is unclear.
  static std::string guess(const OptionSpec& option, const std::string& text) {
    if (option.type == OptionType::enumeration) return nearest(text, option.choices);
    if (option.type == OptionType::boolean) {
      if (text == "yes" || text == "on" || text == "True" || text == "1") return "true";
      if (text == "no" || text == "off" || text == "False" || text == "0") return "false";
    }
    if (option.type == OptionType::duration && plugin::parse_value(option, text + "s")) return text + "s";
    if (option.type == OptionType::list) return "[" + text + "]";
    return {};
  }

  void report_wrong(const OptionSpec& option, const Setting& setting, const std::string& why) {
    std::string fix = setting.is_scalar() ? guess(option, setting.text) : std::string();
    if (!fix.empty()) {
      fix = "did you mean '" + fix + "'?";
    } else {
      fix = "write " + describe(option);
      const std::string usual = plugin::format_value(option.type, option.default_value);
      if (!option.required && option.type != OptionType::secret && !usual.empty())
        fix += ", or remove it for the default, " + usual;
    }
    faults_.push_back(fault_at(setting.source, "wrong value for option " + named(option.name), why, fix));
  }

  void report_missing(const OptionSpec& option, const Setting& map) {
    Source where = map.source;
    where.line = 0;
    faults_.push_back(fault_at(where, "option " + named(option.name) + " is missing", option.doc,
                               "write `" + option.name + ": …` in " + rules_.set_in + ": " + describe(option)));
  }

  void report_section(const Setting& setting, const std::string& name) {
    faults_.push_back(fault_at(setting.source, "wrong value for option " + named(name),
                               "expected a map of options, found " + std::string(to_string(setting.kind)),
                               "write its options below it, indented"));
  }

  void report_unknown(const Setting& setting, const std::string& path) {
    std::vector<std::string> here = path.empty() ? rules_.others : std::vector<std::string>();
    for (const OptionSpec& option : table_) {
      if (!option.name.starts_with(path)) continue;
      const std::string rest = option.name.substr(path.size());
      const std::string next = rest.substr(0, rest.find('.'));
      if (std::ranges::find(here, next) == here.end()) here.push_back(next);
    }
    std::string fix;
    if (nearest(setting.key, here).empty()) {  // the right name in the wrong place?
      for (const OptionSpec& option : table_)
        if (option.name.ends_with("." + setting.key)) fix = "did you mean '" + rules_.prefix + option.name + "'?";
    }
    if (fix.empty()) fix = suggest(setting.key, here, "remove it");
    faults_.push_back(fault_at(setting.source, "unknown option " + named(path + setting.key), "", fix));
  }

  std::span<const OptionSpec> table_;
  const ReadRules& rules_;
  std::vector<Fault>& faults_;
  std::set<std::string> seen_;
  OptionValues values_;
};

}  // namespace

OptionValues read_options(const Setting& map, std::span<const OptionSpec> table, const ReadRules& rules,
                          std::vector<Fault>& faults) {
  return Reader(table, rules, faults).read(map);
}

}  // namespace backplane::host
