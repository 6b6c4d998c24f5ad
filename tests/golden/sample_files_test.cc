// The samples in config/ and the list of options in docs/ are what the program generates, from the plugins' manifests
// in this tree; and every sample is right.
#include <filesystem>
#include <fstream>
#include <iterator>

#include "backplane/plugin/manifest.h"
#include "golden/golden.h"
#include "host/config/config.h"
#include "host/config/plugin_options.h"
#include "host/config/sample.h"

namespace backplane::host {
namespace {

using testing_support::expect_file;

std::vector<plugin::Manifest> manifests_of_the_tree() {
  std::vector<plugin::Manifest> out;
  for (const auto& folder : std::filesystem::directory_iterator(BACKPLANE_SOURCE_DIR "/plugins")) {
    std::ifstream in(folder.path() / "plugin.json", std::ios::binary);
    if (!in) continue;
    auto manifest = plugin::parse_manifest(std::string{std::istreambuf_iterator<char>(in), {}});
    EXPECT_TRUE(manifest) << folder.path() << ": " << manifest.error().text;
    if (manifest) out.push_back(std::move(*manifest));
  }
  return out;
}

TEST(SampleFiles, are_what_the_program_generates) {
  expect_file("config/backplane.yaml", sample_config("example.org", "/var/lib/backplane"));
  const auto manifests = manifests_of_the_tree();
  expect_file("docs/operators/options.md", option_docs(manifests));
  for (const auto& manifest : manifests)
    expect_file("config/plugins.d/" + manifest.name + ".yaml", sample_plugin_config(manifest));
}

TEST(SampleFiles, have_no_faults) {
  const Environment environment{{"BACKPLANE_DATABASE_PASSWORD", "secret"},
                                {"BACKPLANE_SHARED_SECRET", "0123456789abcdef0123456789abcdef"},
                                {"BACKPLANE__THIS_HOST", ""}};
  for (const char* sample :
       {"config/backplane.yaml", "config/profiles/single/backplane.yaml", "config/profiles/postgresql/backplane.yaml",
        "config/profiles/split/few/backplane.yaml", "config/profiles/split/hosts-one-each/backplane.yaml"}) {
    Environment own = environment;
    const std::string_view name = sample;
    if (name.find("few") != std::string_view::npos) own["BACKPLANE__THIS_HOST"] = "edge";
    if (name.find("one-each") != std::string_view::npos) own["BACKPLANE__THIS_HOST"] = "rooms1";
    const LoadedConfig loaded = load_config(std::string(BACKPLANE_SOURCE_DIR "/") + sample, own);
    EXPECT_EQ(format_faults(loaded.faults), "") << sample;
  }
}

}  // namespace
}  // namespace backplane::host
