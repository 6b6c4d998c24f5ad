#include "host/cli/command_line.h"

namespace backplane::host {

std::vector<CommandInfo> command_table() {
  return {
      {"run",
       "",
       0,
       "run the server in the foreground",
       "Runs the server until it is told to stop: TERM or INT ends it gracefully (a second one at once), HUP reloads "
       "the\n"
       "log's level and TLS certificates, QUIT writes to the log what the server is doing.",
       {{"--daemon", "", "run in the background (a service manager does not need it)"},
        {"--pidfile", "PATH", "write the process's id to this file"},
        {"--umask", "MASK", "the process's umask, in octal"}},
       {"backplane run", "backplane run --config /etc/backplane/backplane.yaml"},
       run_run},
      {"check-config",
       "",
       0,
       "check config, plugins and wiring; print every fault",
       "Reads config as `run` would, loads the plugins, runs their own checks and resolves the wiring, but opens "
       "neither\n"
       "databases nor ports. Prints every fault with file and line. With `hosts` in config it looks at what each of\n"
       "them lacks, too.",
       {{"--hosts", "FILE", "the file of another host, to compare with this one; may be repeated"}},
       {"backplane check-config --config ./backplane.yaml",
        "BACKPLANE__THIS_HOST=core backplane check-config --config core.yaml --hosts edge.yaml"},
       run_check_config},
      {"plugins list",
       "",
       0,
       "list the plugins that are there",
       "Lists every plugin found in plugin_dirs: its version, status, and whether it is enabled.",
       {},
       {"backplane plugins list"},
       run_plugins_list},
      {"plugins enable",
       "NAME",
       1,
       "let a plugin run",
       "Writes `enabled: true` to conf.d/90-plugins.yaml beside the config file, and to no other file.",
       {},
       {"backplane plugins enable sync_api"},
       run_plugins_enable},
      {"plugins disable",
       "NAME",
       1,
       "keep a plugin from running",
       "Writes `enabled: false` to conf.d/90-plugins.yaml beside the config file, and to no other file.",
       {},
       {"backplane plugins disable sync_api"},
       run_plugins_disable},
      {"wiring",
       "",
       0,
       "show who calls whom, and who writes which log",
       "Prints the graph of interfaces, logs and routes, made of the plugins' manifests. Without a config file: of "
       "all\n"
       "plugins that are there.",
       {{"--format", "FORMAT", "text (the default), dot (for Graphviz) or markdown (as docs/wiring.md)"},
        {"--output", "FILE", "write there instead of printing"}},
       {"backplane wiring", "backplane wiring --format dot | dot -Tsvg > wiring.svg"},
       run_wiring},
      {"generate-config",
       "",
       0,
       "write a commented config to begin with",
       "Writes backplane.yaml, and beside it plugins.d/<plugin>.yaml for every plugin: each option with its\n"
       "documentation, its default commented out.",
       {{"--server-name", "NAME", "the name in the ids of users and rooms; can never be changed"},
        {"--data-dir", "DIR", "where databases, keys and media go (default: data, beside the config)"},
        {"--output", "FILE", "the file to write (default: ./backplane.yaml); -: print it"},
        {"--plugin-dir", "DIR", "where plugins are looked for; may be repeated"},
        {"--markdown", "", "write the list of all options instead, as in docs/operators/options.md"},
        {"--force", "", "replace files that are there"}},
       {"backplane generate-config --server-name example.org",
        "backplane generate-config --server-name example.org --data-dir /var/lib/backplane \\\n"
        "      --output /etc/backplane/backplane.yaml"},
       run_generate_config},
      {"generate-keys",
       "",
       0,
       "make the server's signing key",
       "Writes a new Ed25519 signing key, readable only by its owner. The server makes one by itself at its first "
       "start;\n"
       "use this to have it elsewhere, or earlier. Keep a copy: other servers know this one by its key.",
       {{"--output", "FILE", "the file to write (default: the signing_key_path of config)"},
        {"--force", "", "replace a key that is there"}},
       {"backplane generate-keys", "backplane generate-keys --output /etc/backplane/signing.key"},
       run_generate_keys},
      {"users create",
       "NAME",
       1,
       "make an account; the server may be running or stopped",
       "Makes the account @NAME:server_name. Asks for the password, twice, without showing it.",
       {{"--admin", "", "the user may administer the server"},
        {"--password-stdin", "", "read the password from the first line of the standard input"}},
       {"backplane users create alice --admin", "pass show alice | backplane users create alice --password-stdin"},
       run_users_create},
      {"migrate-database",
       "",
       0,
       "move all data from SQLite to PostgreSQL; the server must be stopped",
       "Copies every plugin's database from the SQLite files of a data folder into the PostgreSQL that the config "
       "names,\n"
       "reads both sides back and compares them row by row. Clients go on with the tokens that they have. The files "
       "are\n"
       "only read. It may be ended at any moment: run again, it goes on where it was; a server does not start on data\n"
       "that are not complete.",
       {{"--from-data", "DIR", "the data folder that holds the SQLite files"},
        {"--from", "PATH", "or the config that the server had: its data_dir is that folder"},
        {"--start-over", "", "drop what a move that did not end has left in PostgreSQL, and begin anew"}},
       {"backplane migrate-database --config new.yaml --from-data /var/lib/backplane",
        "backplane migrate-database --config new.yaml --from old.yaml"},
       run_migrate_database},
      {"restore",
       "",
       0,
       "make databases usable that were put back from a backup; the server must be stopped",
       "Run this once when you have put back databases (SQLite files, or PostgreSQL schemas), and before the server\n"
       "starts: all of them, or some. Every log begins another history, so that nothing that will be written is taken\n"
       "for what was written after the backup: by a client, another component or another host. With several hosts "
       "stop\n"
       "all of them, and run it on one.",
       {},
       {"backplane restore --config /etc/backplane/backplane.yaml"},
       run_restore},
      {"doctor",
       "",
       0,
       "look for what is wrong in the databases; the server may be running or stopped",
       "Runs the checks of every plugin's database, such as that no event is of a room that is gone, and prints what "
       "they\n"
       "find. Changes nothing. A big database takes a while.",
       {},
       {"backplane doctor"},
       run_doctor},
      {"version",
       "",
       0,
       "print the versions of the program, its ABI and its libraries",
       "Prints the versions of the program, of the plugins' ABI that it has, and of its libraries.",
       {},
       {"backplane version"},
       run_version},
  };
}

}  // namespace backplane::host
