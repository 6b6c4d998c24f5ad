#include <openssl/crypto.h>
#include <spdlog/version.h>

#include <Poco/Environment.h>
#include <boost/version.hpp>
#include <nlohmann/json.hpp>

#include "backplane/plugin/entry.h"
#include "host/cli/command.h"

namespace backplane::host {

int run_version(CommandContext& context) {
  const auto dotted = [](auto... parts) {
    std::string out;
    ((out += (out.empty() ? "" : ".") + std::to_string(parts)), ...);
    return out;
  };
  const auto poco = Poco::Environment::libraryVersion();
  context.out() << "backplane " BACKPLANE_VERSION_STRING "\n"
                << "build:     " BACKPLANE_BUILD_STAMP "\n"
                << "ABI:       " << dotted(plugin::abi_major, plugin::abi_minor) << " (SDK " BACKPLANE_SDK_VERSION ")\n"
                << "libraries: Boost "
                << dotted(BOOST_VERSION / 100000, BOOST_VERSION / 100 % 1000, BOOST_VERSION % 100) << ", Poco "
                << dotted(poco >> 24, poco >> 16 & 0xff, poco >> 8 & 0xff) << ", " << OpenSSL_version(OPENSSL_VERSION)
                << ", spdlog " << dotted(SPDLOG_VER_MAJOR, SPDLOG_VER_MINOR, SPDLOG_VER_PATCH) << ", nlohmann_json "
                << dotted(NLOHMANN_JSON_VERSION_MAJOR, NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)
                << "\n";
  return exit_ok;
}

}  // namespace backplane::host
