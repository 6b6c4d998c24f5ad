// An example of a plugin: one route, one option, one table, and one consumer of a log. README.md tells it step by step.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/json.h"
#include "backplane/plugin/entry.h"
#include "backplane/plugin/plugin.h"

namespace hello {
namespace bp = backplane;

// The count and the consumer's position change in one transaction, so that no record counts twice, whenever the
// process is killed.
constexpr std::string_view create_counter =
    "CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);\n"
    "INSERT INTO counter (name, value) VALUES ('room_events', 0);\n";

class HelloPlugin final : public bp::plugin::Plugin {
 public:
  explicit HelloPlugin(bp::plugin::Host& host) : logger_(host.logger("hello_plugin")) {}

  std::vector<std::string> configure(const bp::plugin::Options& options) override {
    greeting_ = options.text("greeting");
    if (greeting_.empty()) return {"the option 'greeting' is empty: give it a word"};
    return {};
  }

  bp::Result<void> wire(bp::plugin::Wiring& wiring) override {
    store_ = &wiring.store({.migrations = {{1, "counter", create_counter}}});
    wiring.log().consume({.topic = "room_events", .group = "hello_plugin"}, *store_,
                         [](bp::storage::Write& write, const bp::log::Record&) {
                           write.execute("UPDATE counter SET value = value + 1 WHERE name = 'room_events'");
                           return bp::log::Outcome::done;
                         });
    // Nobody has to show who they are here, so there is no authenticator.
    wiring.routes(bp::http::Surface::client, nullptr)
        .add(bp::http::Method::get, "/_hello/{name}",
             {.authentication = bp::http::Authentication::none,
              .body_limit = bp::http::no_body,
              .rate = bp::http::RateClass::read},
             [this](const bp::http::Request& request) { return greet(request.parameter("name")); });
    return {};
  }

  bp::Result<void> start() override {
    logger_.info("started", {{"greeting", greeting_}});
    return {};
  }

 private:
  bp::Result<bp::http::Response> greet(std::string_view name) {
    const auto counted = store_->read([](bp::storage::Session& session) {
      return session.find<std::int64_t>("SELECT value FROM counter WHERE name = 'room_events'").value_or(0);
    });
    if (!counted) return counted.error();
    std::string body;
    bp::json::Writer(body)
        .begin_object()
        .member("message", greeting_ + ", " + std::string(name))
        .member("room_events", *counted)
        .end_object();
    return bp::http::Response::json(std::move(body));
  }

  bp::Logger logger_;
  std::string greeting_;
  bp::storage::Store* store_ = nullptr;
};

}  // namespace hello

BACKPLANE_PLUGIN(hello::HelloPlugin);
