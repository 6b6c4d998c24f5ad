#include "host/config/yaml_reader.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <map>
#include <sstream>

#include "host/config/files.h"

namespace backplane::host {
namespace {

constexpr std::size_t max_file_bytes = 4 * 1024 * 1024;
constexpr std::size_t max_settings = 100'000;  // aliases can multiply a small file

std::size_t count(const Setting& setting) {
  std::size_t sum = 1;
  for (const Setting& child : setting.children) sum += count(child);
  return sum;
}

void place_at(Setting& setting, const Source& source) {
  setting.source = source;
  for (Setting& child : setting.children) place_at(child, source);
}

/// Builds the tree from the parser's events: the finished containers around the present place are a stack of values.
class TreeBuilder final : public YAML::EventHandler {
 public:
  TreeBuilder(std::string file, std::vector<Fault>& faults) : file_(std::move(file)), faults_(faults) {}

  Setting take_root() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { add(make(Setting::Kind::none, mark), anchor); }
  void OnScalar(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, const std::string& value) override {
    Setting setting = make(Setting::Kind::scalar, mark);
    setting.text = value;
    add(std::move(setting), anchor);
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchored_.find(anchor);
    if (found == anchored_.end()) throw YAML::ParserException(mark, "an alias within what it names");
    if (made_ += count(found->second); made_ > max_settings) throw YAML::ParserException(mark, "too many aliases");
    Setting copy = found->second;
    copy.source.line = mark.line + 1;
    add(std::move(copy), 0);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(make(Setting::Kind::list, mark), anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(make(Setting::Kind::map, mark), anchor);
  }
  void OnMapEnd() override { close(); }

 private:
  struct Open {
    Setting setting;
    YAML::anchor_t anchor = 0;
    bool has_key = false;
    Setting key;
  };

  Setting make(Setting::Kind kind, const YAML::Mark& mark) const {
    Setting setting;
    setting.kind = kind;
    setting.source = {file_, mark.line + 1};
    return setting;
  }
  void open(Setting setting, YAML::anchor_t anchor) { open_.push_back({std::move(setting), anchor, false, {}}); }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    add(std::move(done.setting), done.anchor);
  }

  void add(Setting setting, YAML::anchor_t anchor) {
    if (anchor != 0) anchored_[anchor] = setting;
    if (open_.empty()) {
      root_ = std::move(setting);
      return;
    }
    Open& around = open_.back();
    if (around.setting.is_list()) {
      around.setting.children.push_back(std::move(setting));
    } else if (!around.has_key) {
      around.has_key = true;
      around.key = std::move(setting);
    } else {
      around.has_key = false;
      add_member(around, std::move(setting));
    }
  }

  void add_member(Open& around, Setting value) {
    const Setting& key = around.key;
    if (!key.is_scalar()) {
      faults_.push_back(fault_at(key.source, "a key that is no word", "found " + std::string(to_string(key.kind)),
                                 "write `name: value`"));
      return;
    }
    if (const Setting* first = around.setting.find(key.text)) {
      faults_.push_back(fault_at(key.source, "key '" + key.text + "' is there twice",
                                 "the first one is at line " + std::to_string(first->source.line),
                                 "remove one of the two, or join them"));
      return;
    }
    value.key = key.text;
    value.source = key.source;
    around.setting.children.push_back(std::move(value));
  }

  std::string file_;
  std::vector<Fault>& faults_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Setting> anchored_;
  std::size_t made_ = 0;
  Setting root_;
};

}  // namespace

Setting read_yaml(std::string_view text, const std::string& file, std::vector<Fault>& faults) {
  TreeBuilder builder(file, faults);
  std::istringstream in{std::string(text)};
  try {
    YAML::Parser parser(in);
    if (parser.HandleNextDocument(builder)) {
      Setting root = builder.take_root();
      TreeBuilder next(file, faults);
      if (parser.HandleNextDocument(next))
        faults.push_back(fault_at({file, next.take_root().source.line}, "more than one YAML document in a file",
                                  "only the first would count", "remove the line `---` and join the two"));
      if (root.kind != Setting::Kind::none) return root;
    }
  } catch (const YAML::Exception& error) {
    faults.push_back(fault_at(
        {file, error.mark.line + 1}, "this is no YAML", error.msg + ", column " + std::to_string(error.mark.column + 1),
        "look there and at the line before: the indentation, a missing colon, quote or bracket?"));
  }
  Setting empty;
  empty.kind = Setting::Kind::map;
  empty.source = {file, 1};
  return empty;
}

Setting read_yaml_file(const std::string& path, std::vector<Fault>& faults) {
  Setting empty;
  empty.kind = Setting::Kind::map;
  empty.source = {path, 0};
  std::string text;
  if (const std::string problem = read_file(path, text); !problem.empty()) {
    faults.push_back(
        {"cannot read config file " + path, problem, "check that it is there and that this user may read it", "", 0});
    return empty;
  }
  if (text.size() > max_file_bytes) {
    faults.push_back({"config file " + path + " is too large", std::to_string(text.size()) + " bytes",
                      "is it the right file? The limit is 4 MiB", "", 0});
    return empty;
  }
  Setting root = read_yaml(text, path, faults);
  if (root.is_map()) return root;
  faults.push_back(fault_at(root.source, "a config file must be a map of options",
                            "found " + std::string(to_string(root.kind)), "write `name: value` lines"));
  return empty;
}

void unfold(Setting& setting, std::vector<Fault>& faults) {
  if (!setting.from_environment || !setting.is_scalar() || setting.text.empty()) return;
  if (setting.text.front() != '[' && setting.text.front() != '{') return;
  const std::size_t faults_before = faults.size();
  Setting parsed = read_yaml(setting.text, setting.source.file, faults);
  for (std::size_t i = faults_before; i < faults.size(); ++i) faults[i].line = 0;
  if (faults.size() != faults_before) parsed = Setting{};
  parsed.key = setting.key;
  place_at(parsed, setting.source);
  setting = std::move(parsed);
}

}  // namespace backplane::host
