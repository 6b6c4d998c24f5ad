#include "backplane/plugin/options.h"

#include <stdexcept>

namespace backplane::plugin {
namespace {

template <class T>
const T& typed(const OptionValue& value, std::string_view name) {
  const T* held = std::get_if<T>(&value);
  if (held == nullptr) throw std::logic_error("option '" + std::string(name) + "' has another type in the manifest");
  return *held;
}

}  // namespace

std::string_view to_string(OptionType type) {
  switch (type) {
    case OptionType::boolean: return "bool";
    case OptionType::integer: return "int";
    case OptionType::string: return "string";
    case OptionType::enumeration: return "enum";
    case OptionType::duration: return "duration";
    case OptionType::bytes: return "bytes";
    case OptionType::path: return "path";
    case OptionType::url: return "url";
    case OptionType::secret: return "secret";
    case OptionType::list: return "list";
  }
  return "?";
}

const OptionValue& Options::get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) throw std::logic_error("the manifest has no option '" + std::string(name) + "'");
  return found->second;
}

bool Options::boolean(std::string_view name) const { return typed<bool>(get(name), name); }

std::int64_t Options::integer(std::string_view name) const { return typed<std::int64_t>(get(name), name); }

const std::string& Options::text(std::string_view name) const { return typed<std::string>(get(name), name); }

Duration Options::duration(std::string_view name) const { return Duration(integer(name)); }

const std::vector<std::string>& Options::list(std::string_view name) const {
  return typed<std::vector<std::string>>(get(name), name);
}

}  // namespace backplane::plugin
