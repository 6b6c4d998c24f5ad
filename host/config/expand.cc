#include "host/config/environment.h"
#include "host/config/files.h"

namespace backplane::host {
namespace {

/// The text of one `${…}`; nothing after a fault.
std::string resolve(std::string_view reference, const Setting& setting, const std::string& name,
                    const Environment& environment, const std::string& folder, std::vector<Fault>& faults) {
  const std::string of = "option '" + name + "'";
  if (reference.starts_with("env:")) {
    const std::string variable(reference.substr(4));
    if (const auto found = environment.find(variable); found != environment.end()) return found->second;
    faults.push_back(fault_at(setting.source, of + " refers to a variable that is not set", "${env:" + variable + "}",
                              "set " + variable + " in the environment of the server"));
    return {};
  }
  if (reference.starts_with("file:")) {
    const std::string path = absolute_path(std::string(reference.substr(5)), folder);
    std::string text;
    if (const std::string problem = read_file(path, text); !problem.empty()) {
      faults.push_back(fault_at(setting.source, of + " refers to a file that cannot be read", path + ": " + problem,
                                "check that it is there and that this user may read it"));
      return {};
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
    return text;
  }
  faults.push_back(fault_at(setting.source, of + " has a reference of an unknown kind",
                            "found ${" + std::string(reference) + "}",
                            "write ${file:/path} or ${env:NAME}; for a literal ${ write $${"));
  return {};
}

std::string expand_text(const Setting& setting, const std::string& name, const Environment& environment,
                        const std::string& folder, std::vector<Fault>& faults) {
  const std::string_view text = setting.text;
  std::string out;
  std::size_t done = 0;
  for (;;) {
    const auto start = text.find("${", done);
    if (start == std::string_view::npos) return out.append(text.substr(done));
    if (start > done && text[start - 1] == '$') {  // escaped
      out.append(text.substr(done, start - 1 - done)).append("${");
      done = start + 2;
      continue;
    }
    out.append(text.substr(done, start - done));
    const auto end = text.find('}', start);
    if (end == std::string_view::npos) {
      faults.push_back(fault_at(setting.source, "option '" + name + "' has a reference without an end",
                                "after ${ there is no }", "close it; for a literal ${ write $${"));
      return out;
    }
    out += resolve(text.substr(start + 2, end - start - 2), setting, name, environment, folder, faults);
    done = end + 1;
  }
}

}  // namespace

void expand(Setting& setting, const std::string& name, const Environment& environment, const std::string& folder,
            std::vector<Fault>& faults) {
  if (setting.is_scalar()) setting.text = expand_text(setting, name, environment, folder, faults);
  for (Setting& child : setting.children)
    expand(child, child.key.empty() ? name : name + "." + child.key, environment, folder, faults);
}

}  // namespace backplane::host
