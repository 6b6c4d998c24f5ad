#include "host/cli/command.h"
#include "host/cli/password.h"

namespace backplane::host {
namespace {

/// The part of `@alice:example.org` that counts here, or the name as it is. Empty when it is of another server.
std::string localpart_of(const std::string& name, const std::string& server_name) {
  if (!name.starts_with('@')) return name;
  const auto colon = name.find(':');
  if (colon == std::string::npos || name.substr(colon + 1) != server_name) return {};
  return name.substr(1, colon - 1);
}

}  // namespace

int run_users_create(CommandContext& context) {
  const auto config = context.load();
  if (!config) return exit_faults;
  const std::string& name = context.operands().front();
  NewUser user;
  user.admin = context.has("--admin");
  user.localpart = localpart_of(name, config->server_name);
  if (user.localpart.empty())
    return context.finish({{"'" + name + "' is no user of this server", "this server is " + config->server_name,
                            "write the name alone, such as alice", "", 0}});
  auto password = context.has("--password-stdin") ? read_password(context.in()) : ask_password();
  if (!password)
    return context.finish({{"no account was made", password.error().text, "try again", "", 0}}, exit_usage);
  user.password = std::move(*password);
  if (const int code = context.finish(context.engine().create_user(*config, user)); code != exit_ok) return code;
  context.out() << "made account @" << user.localpart << ":" << config->server_name << (user.admin ? ", an admin" : "")
                << "\n";
  return exit_ok;
}

}  // namespace backplane::host
