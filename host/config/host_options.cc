#include "host/config/host_options.h"

#include "backplane/plugin/option_text.h"

namespace backplane::host {
namespace {

using plugin::OptionSpec;
using plugin::OptionType;
using plugin::OptionValue;

/// The default is text as in config; `least` and `most` too, and empty where there is no bound.
OptionSpec option(std::string name, OptionType type, std::string_view default_text, std::string doc,
                  std::string_view least = "", std::string_view most = "") {
  OptionSpec out;
  out.name = std::move(name);
  out.type = type;
  out.doc = std::move(doc);
  const auto value = [&](std::string_view text) {
    auto parsed = plugin::parse_value(out, text);
    return parsed ? std::move(*parsed) : OptionValue();
  };
  out.default_value = value(default_text);
  if (!least.empty()) out.minimum = std::get<std::int64_t>(value(least));
  if (!most.empty()) out.maximum = std::get<std::int64_t>(value(most));
  return out;
}

OptionSpec choice(std::string name, std::vector<std::string> choices, std::string default_value, std::string doc) {
  OptionSpec out;
  out.name = std::move(name);
  out.type = OptionType::enumeration;
  out.choices = std::move(choices);
  out.default_value = std::move(default_value);
  out.doc = std::move(doc);
  return out;
}

OptionSpec words(std::string name, std::vector<std::string> default_value, std::string doc,
                 std::vector<std::string> choices = {}) {
  OptionSpec out;
  out.name = std::move(name);
  out.type = OptionType::list;
  out.choices = std::move(choices);
  out.default_value = std::move(default_value);
  out.doc = std::move(doc);
  return out;
}

OptionSpec required(OptionSpec option) {
  option.required = true;
  return option;
}

OptionSpec reloadable(OptionSpec option) {
  option.reloadable = true;
  return option;
}

void add_rate(std::vector<OptionSpec>& table, const std::string& name, const std::string& what,
              std::string_view per_second, std::string_view burst) {
  table.push_back(option(
      "rate_limits." + name + ".per_second", OptionType::string, per_second,
      "How many " + what + " a second a caller may make in the long run, such as 10 or 0.2; 0: as many as it likes."));
  table.push_back(option("rate_limits." + name + ".burst", OptionType::integer, burst,
                         "How many " + what + " may come at once.", "1", "1000000"));
}

}  // namespace

std::vector<OptionSpec> host_options() {
  using enum OptionType;
  std::vector<OptionSpec> out{
      required(option("server_name", string, "",
                      "The name in the ids of users and rooms, as in @user:example.org. It can never be changed.")),
      option(
          "public_base_url", url, "",
          "Where clients reach this server, as in https://matrix.example.org. Without it: https and the server's name "
          "when a client listener has TLS, else http://localhost with that listener's port."),
      option("data_dir", path, "data",
             "The folder of databases, keys and media. Relative paths are relative to the folder of this file."),
      words("plugin_dirs", {"default"},
            "Folders with plugins, searched in this order; `default` is the one that was installed with the program."),
      words("trusted_proxies", {},
            "Addresses or networks (10.0.0.0/8) whose X-Forwarded-For header says who the client is."),
      option("io_threads", integer, "2", "Threads that read and write the listeners' sockets.", "1", "64"),
      option("drain_timeout", duration, "20s", "How long the server finishes what it has begun when told to stop.", "0",
             "1h"),
      option("this_host", string, "", "Which of `hosts` this process is. Only in split mode."),
      option(
          "shared_secret", secret, "",
          "What the hosts of a split server show each other. At least 16 characters; best written as ${file:/path}."),
      reloadable(option("internal_tls.ca", path, "",
                        "A PEM file with the authorities of the other hosts' certificates, where their url is https. "
                        "Without it: those that the system trusts.")),
      reloadable(option("internal_tls.certificate", path, "",
                        "A PEM file with the certificate that this host shows the others, and its chain.")),
      reloadable(option("internal_tls.key", path, "", "A PEM file with that certificate's private key.")),

      option("operations.enabled", boolean, "true", "Whether health checks and metrics are served."),
      option("operations.bind", string, "127.0.0.1", "The address of health checks and metrics. Keep it private."),
      option("operations.port", integer, "9008", "Their port; 0: any that is free.", "0", "65535"),

      choice("storage.engine", {"sqlite", "postgresql"}, "sqlite", "Where plugins keep their data."),
      option(
          "storage.connection", secret, "",
          "How to reach PostgreSQL: `host=… dbname=… user=… password=…`. Not for SQLite, whose files are in data_dir."),
      option("storage.cache_bytes", bytes, "32MiB", "Memory for database pages, divided over all stores.", "1MiB",
             "64GiB"),
      choice("storage.synchronous", {"full", "normal", "off"}, "full",
             "What is acknowledged survives: full, a power cut; normal and off (SQLite only), a crash of the server."),

      option("log.transport", string, "in_process",
             "What carries records between plugins: in_process, or kafka. The plugin is named so, after log_."),
      reloadable(choice("log.level", {"trace", "debug", "info", "warning", "error", "off"}, "info",
                        "The least important lines that are logged.")),
      choice("log.format", {"text", "json"}, "text", "How log lines are written."),
      option("log.file", path, "", "Where log lines go. Without it: the standard error output."),
  };
  for (const auto& [surface, threads] :
       {std::pair("client", "64"), {"federation", "64"}, {"media", "16"}, {"internal", "64"}})
    out.push_back(option(std::string("workers.") + surface, integer, threads,
                         std::string("The most threads that work on requests of the surface `") + surface + "`.", "1",
                         "4096"));
  out.push_back(
      option("limits.connections", integer, "20000", "The most open connections of all listeners.", "1", "1000000"));
  out.push_back(option("limits.queued_requests", integer, "1024",
                       "The most requests that wait for a worker, for each surface; further ones are answered 503.",
                       "1", "1000000"));
  out.push_back(option("limits.parked_requests", integer, "50000",
                       "The most requests, such as /sync, that wait for news.", "1", "1000000"));
  out.push_back(option("limits.header_bytes", bytes, "16KiB", "The largest head of a request.", "1KiB", "1MiB"));
  out.push_back(option("limits.body_bytes", bytes, "64MiB", "The largest body of a request, whatever its route allows.",
                       "64KiB", "16GiB"));
  out.push_back(
      option("limits.header_timeout", duration, "20s", "How long a client may take to send a head.", "1s", "10m"));
  out.push_back(
      option("limits.body_timeout", duration, "2m", "How long a client may take to send a body.", "1s", "1h"));
  out.push_back(
      option("limits.idle_timeout", duration, "2m", "How long a connection is kept without a request.", "1s", "1h"));
  add_rate(out, "read", "reading requests", "50", "200");
  add_rate(out, "write", "writing requests", "10", "50");
  add_rate(out, "login", "log-ins", "0.2", "10");
  add_rate(out, "registration", "registrations", "0.2", "5");
  return out;
}

std::vector<OptionSpec> listener_options() {
  using enum OptionType;
  return {
      option("bind", string, "127.0.0.1", "The address to listen at: 0.0.0.0 or :: for all."),
      required(option("port", integer, "", "The port; 0: any that is free.", "0", "65535")),
      words("serves", {"client", "media"}, "The surfaces that are answered there.",
            {"client", "federation", "media", "internal"}),
      reloadable(
          option("tls.certificate", path, "", "A PEM file with the certificate and its chain. Without it: no TLS.")),
      reloadable(option("tls.key", path, "", "A PEM file with the certificate's private key.")),
      reloadable(option("tls.client_ca", path, "",
                        "A PEM file with authorities: who connects must show a certificate of one of them. For "
                        "listeners that serve internal.")),
  };
}

std::vector<OptionSpec> other_host_options() {
  return {
      option("url", OptionType::url, "", "Where the other hosts reach its internal listener."),
      words("plugins", {}, "The plugins that run there."),
  };
}

}  // namespace backplane::host
