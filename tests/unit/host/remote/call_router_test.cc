// What a router does when hosts do not answer as one would like: they are away, they die, shards move, secrets differ.
#include "host/remote/call_router.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <future>
#include <map>

#include "support/internal_hosts.h"
#include "unit/host/test_parts.h"

namespace backplane::host::test {
namespace {

using namespace std::chrono_literals;

/// A listener that takes connections and does with them what the test says; `serve` gets each one's socket.
class RawHost {
 public:
  explicit RawHost(std::function<void(int)> serve) : serve_(std::move(serve)) {
    listener_ = ::socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    (void)::bind(listener_, reinterpret_cast<sockaddr*>(&address), length);
    (void)::listen(listener_, 128);
    (void)::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] {
      for (int socket = ::accept(listener_, nullptr, nullptr); socket >= 0;
           socket = ::accept(listener_, nullptr, nullptr)) {
        ++taken;
        serve_(socket);
        ::close(socket);
      }
    });
  }
  ~RawHost() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }
  RawHost(const RawHost&) = delete;
  RawHost& operator=(const RawHost&) = delete;
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  static void read_request(int socket) {
    std::string text;
    std::array<char, 4096> buffer;
    while (text.find("\r\n\r\n{") == std::string::npos) {
      const ssize_t got = ::recv(socket, buffer.data(), buffer.size(), 0);
      if (got <= 0) return;
      text.append(buffer.data(), static_cast<std::size_t>(got));
    }
  }
  static void say(int socket, std::string_view text) { (void)::send(socket, text.data(), text.size(), MSG_NOSIGNAL); }
  std::atomic<int> taken{0};

 private:
  const std::function<void(int)> serve_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

struct CallRouterTest : ::testing::Test {
  CallRouterTest() {
    for (Greeter* greeter : {&first, &second}) {
      const std::string name = greeter == &first ? "one" : "two";
      const auto answer = [this, name](const api::CallContext&, const GreetRequest& request) -> Result<GreetResponse> {
        ++served;
        return GreetResponse{"hello " + request.name, "", "", name};
      };
      greeter->greet.bind(answer);
      greeter->greet_once.bind(answer);
      greeter->greet_room.bind([this, name](const api::CallContext&, const GreetRoomRequest&) -> Result<GreetResponse> {
        ++served;
        return GreetResponse{"", "", "", name};
      });
      greeter->greet_room_later.bind(
          [this, name](const api::CallContext&, const GreetRoomRequest&, const api::Reply<GreetResponse>& reply) {
            ++served;
            reply(GreetResponse{"", "", "", name});
          });
    }
  }
  ~CallRouterTest() override { calling.stop(); }

  std::unique_ptr<ServingHost> serve(const std::string& name, ServingHost::Options options = {}) {
    return std::make_unique<ServingHost>(name, name == "one" ? first : second, name == "one" ? &store_one : &store_two,
                                         std::move(options));
  }
  void route(std::vector<CallRouter::Provider> providers) { calling.router(std::move(providers)).bind(consumer); }
  static api::CallContext within(Duration time) { return {.deadline = system_clock().now() + time}; }
  /// A port that nobody listens at.
  static std::uint16_t free_port() {
    const RawHost host([](int) {});
    return static_cast<std::uint16_t>(std::stoi(host.url().substr(host.url().rfind(':') + 1)));
  }

  Greeter first, second, consumer;
  Shards shards{"one"};
  OwnedStore store_one{shards, "one"}, store_two{shards, "two"};
  std::atomic<int> served{0};
  CallingHost calling;
};

TEST_F(CallRouterTest, says_that_a_host_is_away_and_finds_it_when_it_comes) {
  const std::uint16_t port = free_port();
  route({{"one", &calling.host("one", "http://127.0.0.1:" + std::to_string(port))}});
  const auto away = consumer.greet(within(20s), {"you", {}, {}});
  ASSERT_FALSE(away.ok());
  EXPECT_EQ(away.error().code, ErrorCode::unavailable);
  EXPECT_EQ(away.error().reason, "host_unreachable");
  EXPECT_NE(away.error().text.find("one"), std::string::npos);
  ServingHost::Options options;
  options.port = port;
  const auto one = serve("one", options);
  const auto answer = consumer.greet(within(20s), {"you", {}, {}});
  ASSERT_TRUE(answer.ok()) << answer.error().text;
}

TEST_F(CallRouterTest, any_provider_will_do_and_it_stays_with_the_one_that_answers) {
  auto one = serve("one"), two = serve("two");
  route({{"one", &calling.host("one", one->url())}, {"two", &calling.host("two", two->url())}});
  const auto before = consumer.greet(within(20s), {"you", {}, {}});
  ASSERT_TRUE(before.ok());
  EXPECT_EQ(consumer.greet(within(20s), {"you", {}, {}})->host, before->host);
  (before->host == "one" ? one : two)->stop();
  for (int i = 0; i < 3; ++i) {
    const auto after = consumer.greet(within(20s), {"you", {}, {}});
    ASSERT_TRUE(after.ok()) << after.error().text;
    EXPECT_NE(after->host, before->host);
  }
}

TEST_F(CallRouterTest, what_makes_something_goes_round) {
  const auto one = serve("one"), two = serve("two");
  route({{"one", &calling.host("one", one->url())}, {"two", &calling.host("two", two->url())}});
  std::map<std::string, int> made;
  for (int i = 0; i < 6; ++i) {
    const auto answer = consumer.greet_once(within(20s), {"you", {}, {}});
    ASSERT_TRUE(answer.ok()) << answer.error().text;
    ++made[answer->host];
  }
  EXPECT_EQ(made, (std::map<std::string, int>{{"one", 3}, {"two", 3}}));
  // Nothing was begun at a host that is away: another one does it.
  one->stop();
  for (int i = 0; i < 4; ++i) {
    const auto answer = consumer.greet_once(within(20s), {"you", {}, {}});
    ASSERT_TRUE(answer.ok()) << answer.error().text;
    EXPECT_EQ(answer->host, "two");
  }
}

TEST_F(CallRouterTest, what_was_not_begun_waits_for_a_host_that_is_started_again) {
  const std::atomic<bool> patient{true};
  const std::uint16_t port = free_port();
  CallRouter& router =
      calling.router({{"one", &calling.host("one", "http://127.0.0.1:" + std::to_string(port))}}, &patient);
  router.bind(consumer);
  auto made = std::async(std::launch::async, [&] { return consumer.greet_once(within(20s), {"you", {}, {}}); });
  EXPECT_EQ(made.wait_for(100ms), std::future_status::timeout);
  ServingHost::Options options;
  options.port = port;
  const auto one = serve("one", options);
  const auto answer = made.get();
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(served, 1);
}

TEST_F(CallRouterTest, nobody_waits_for_a_host_any_more_when_this_one_stops) {
  std::atomic<bool> patient{true};
  const std::string url = "http://127.0.0.1:" + std::to_string(free_port());
  calling.router({{"one", &calling.host("one", url)}}, &patient).bind(consumer);
  auto made = std::async(std::launch::async, [&] { return consumer.greet_once(within(20s), {"you", {}, {}}); });
  EXPECT_EQ(made.wait_for(50ms), std::future_status::timeout);
  patient = false;
  EXPECT_EQ(made.wait_for(5s), std::future_status::ready);
  EXPECT_EQ(made.get().error().reason, "host_unreachable");
}

TEST_F(CallRouterTest, a_host_that_says_nothing_has_no_turn) {
  RawHost silent([](int socket) {
    RawHost::read_request(socket);
    std::array<char, 1> nothing;
    while (::recv(socket, nothing.data(), nothing.size(), 0) > 0) {
    }
  });
  const auto two = serve("two");
  route({{"one", &calling.host("one", silent.url())}, {"two", &calling.host("two", two->url())}});
  EXPECT_FALSE(consumer.greet_once(within(200ms), {"you", {}, {}}).ok());
  for (int i = 0; i < 4; ++i) {
    const auto answer = consumer.greet_once(within(20s), {"you", {}, {}});
    ASSERT_TRUE(answer.ok()) << answer.error().text;
    EXPECT_EQ(answer->host, "two");
  }
}

TEST_F(CallRouterTest, the_provider_here_is_called_directly_where_any_will_do) {
  auto two = serve("two");
  CallRouter& router = calling.router({{"one", nullptr}, {"two", &calling.host("two", two->url())}});
  router.set_local(first, &store_one);
  router.bind(consumer);
  EXPECT_EQ(consumer.greet(within(20s), {"you", {}, {}})->host, "one");
  EXPECT_EQ(calling.metric("backplane_remote_calls_total"), 0) << "no router is in between";
}

TEST_F(CallRouterTest, a_provider_here_that_does_not_own_the_shard_is_passed_by) {
  auto two = serve("two");
  CallRouter& router = calling.router({{"one", nullptr}, {"two", &calling.host("two", two->url())}});
  router.set_local(first, &store_one);
  router.bind(consumer);
  EXPECT_EQ(consumer.greet_room(within(20s), {{"!a"}})->host, "one");
  shards.give_all("two");
  EXPECT_EQ(consumer.greet_room(within(20s), {{"!a"}})->host, "two");
  shards.give_all("one");
  EXPECT_EQ(consumer.greet_room(within(20s), {{"!a"}})->host, "one");
  EXPECT_EQ(served, 3);
}

TEST_F(CallRouterTest, learns_who_owns_a_shard) {
  auto one = serve("one"), two = serve("two");
  route({{"one", &calling.host("one", one->url())}, {"two", &calling.host("two", two->url())}});
  const std::string room = "!a";
  shards.give_all(log::lane_of(room) % 2 == 0 ? "two" : "one");  // not as guessed
  ASSERT_TRUE(consumer.greet_room(within(20s), {{room}}).ok());
  const double after_first = calling.metric("backplane_remote_redirects_total");
  EXPECT_EQ(after_first, 1);
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(consumer.greet_room(within(20s), {{room}}).ok());
  EXPECT_EQ(calling.metric("backplane_remote_redirects_total"), after_first);
  EXPECT_EQ(served, 6) << "who does not own the shard does not run the method";
}

TEST_F(CallRouterTest, waits_while_a_shard_has_no_owner) {
  auto one = serve("one"), two = serve("two");
  route({{"one", &calling.host("one", one->url())}, {"two", &calling.host("two", two->url())}});
  shards.tells_owner = false;
  shards.give_all("nobody");
  auto blocking = std::async(std::launch::async, [&] { return consumer.greet_room(within(20s), {{"!a"}}); });
  std::promise<Result<GreetResponse>> deferred;
  consumer.greet_room_later(within(20s), {{"!a"}}, [&](Result<GreetResponse> r) { deferred.set_value(std::move(r)); });
  ASSERT_TRUE(eventually([&] { return calling.metric("backplane_remote_redirects_total") >= 8; }));
  shards.give_all("two");
  const auto answer = blocking.get();
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->host, "two");
  const auto later = deferred.get_future().get();
  ASSERT_TRUE(later.ok()) << later.error().text;
  EXPECT_EQ(later->host, "two");
  EXPECT_EQ(served, 2);
}

TEST_F(CallRouterTest, gives_up_at_the_deadline_with_an_error_that_is_not_its_own_not_owner) {
  auto one = serve("one");
  route({{"one", &calling.host("one", one->url())}});
  shards.give_all("nobody");
  const auto answer = consumer.greet_room(within(300ms), {{"!a"}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::unavailable);
  EXPECT_EQ(answer.error().reason, "no_owner");
}

TEST_F(CallRouterTest, a_method_that_finds_that_it_has_lost_the_shard_is_left_too) {
  auto two = serve("two");
  first.greet_room.bind([this](const api::CallContext&, const GreetRoomRequest&) -> Result<GreetResponse> {
    shards.give_all("two");  // between the check and the work
    return unavailable("not_owner", "gone").with("owner", "two");
  });
  auto one = serve("one");
  route({{"one", &calling.host("one", one->url())}, {"two", &calling.host("two", two->url())}});
  const auto answer = consumer.greet_room(within(20s), {{"!a"}});
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->host, "two");
}

TEST_F(CallRouterTest, a_kept_connection_that_has_died_is_noticed) {
  ServingHost::Options options;
  options.port = free_port();
  auto one = serve("one", options);
  route({{"one", &calling.host("one", one->url())}});
  ASSERT_TRUE(consumer.greet_once(within(20s), {"you", {}, {}}).ok());
  one->stop();
  one = serve("one", options);  // the same address, and none of its connections
  const auto answer = consumer.greet_once(within(20s), {"you", {}, {}});
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(calling.metric("backplane_remote_connections{host=\"one\"}"), 1);
}

TEST_F(CallRouterTest, only_what_may_be_repeated_is_sent_again) {
  RawHost silent([](int socket) { RawHost::read_request(socket); });  // takes the request and hangs up
  auto two = serve("two");
  route({{"one", &calling.host("one", silent.url())}, {"two", &calling.host("two", two->url())}});
  // Wherever it begins, the call that may be repeated ends at the host that answers.
  const auto repeatable = consumer.greet(within(20s), {"you", {}, {}});
  ASSERT_TRUE(repeatable.ok()) << repeatable.error().text;
  Greeter alone;
  calling.router({{"one", &calling.host("one", silent.url())}}).bind(alone);
  const int before = silent.taken;
  const auto once = alone.greet_once(within(20s), {"you", {}, {}});
  ASSERT_FALSE(once.ok());
  EXPECT_EQ(once.error().code, ErrorCode::unavailable);
  EXPECT_EQ(once.error().reason, "call_lost");
  EXPECT_EQ(silent.taken, before + 1);
}

TEST_F(CallRouterTest, a_host_that_never_answers_costs_the_deadline_and_no_more) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  RawHost silent([ended](int) { ended.wait(); });
  route({{"one", &calling.host("one", silent.url())}});
  const Instant began = system_clock().now();
  const auto answer = consumer.greet(within(200ms), {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().code, ErrorCode::timeout);
  EXPECT_LT(system_clock().now() - began, 5s);
  end.set_value();
}

TEST_F(CallRouterTest, a_caller_that_has_gone_is_let_go) {
  std::promise<void> end;
  const auto ended = end.get_future().share();
  RawHost silent([ended](int) { ended.wait(); });
  route({{"one", &calling.host("one", silent.url())}});
  std::stop_source stop;
  api::CallContext context = within(60s);
  context.stop = stop.get_token();
  auto blocking = std::async(std::launch::async, [&] { return consumer.greet(context, {"you", {}, {}}); });
  std::promise<Result<GreetResponse>> deferred;
  consumer.greet_later(context, {"you", {}, {}}, [&](Result<GreetResponse> r) { deferred.set_value(std::move(r)); });
  ASSERT_TRUE(eventually([&] { return calling.metric("backplane_remote_connections") >= 2; }));
  stop.request_stop();
  EXPECT_EQ(blocking.get().error().reason, "cancelled");
  EXPECT_EQ(deferred.get_future().get().error().reason, "cancelled");
  end.set_value();
}

TEST_F(CallRouterTest, tells_the_serving_end_that_the_caller_has_gone) {
  std::promise<std::stop_token> token;
  std::optional<api::Reply<GreetResponse>> kept;
  first.greet_later.bind([&](const api::CallContext& context, const GreetRequest&, const api::Reply<GreetResponse>& r) {
    kept = r;
    token.set_value(context.stop);
  });
  auto one = serve("one");
  route({{"one", &calling.host("one", one->url())}});
  std::stop_source stop;
  api::CallContext context = within(60s);
  context.stop = stop.get_token();
  std::promise<Result<GreetResponse>> deferred;
  consumer.greet_later(context, {"you", {}, {}}, [&](Result<GreetResponse> r) { deferred.set_value(std::move(r)); });
  const std::stop_token there = token.get_future().get();
  EXPECT_FALSE(there.stop_requested());
  stop.request_stop();
  EXPECT_TRUE(eventually([&] { return there.stop_requested(); }));
  EXPECT_FALSE(deferred.get_future().get().ok());
  kept.reset();
}

TEST_F(CallRouterTest, what_is_not_ours_is_never_taken_for_an_answer) {
  for (const auto& [answer, reason] :
       {std::pair<std::string, std::string>{"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", "not_served"},
        {"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "shared_secret"},
        {"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\n<p/>", "host_busy"},
        {"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n<p/>", ""},
        {"HTTP/1.1 200 OK\r\n\r\n", "call_lost"}}) {
    RawHost other([&](int socket) {
      RawHost::read_request(socket);
      RawHost::say(socket, answer);
    });
    Greeter mine;
    calling.router({{"one", &calling.host("one", other.url())}}).bind(mine);
    const auto result = mine.greet_once(within(20s), {"you", {}, {}});
    ASSERT_FALSE(result.ok()) << answer;
    EXPECT_EQ(result.error().reason, reason) << answer;
    EXPECT_TRUE(result.error().code == ErrorCode::internal || result.error().code == ErrorCode::unavailable) << answer;
  }
}

TEST_F(CallRouterTest, a_host_too_busy_to_begin_is_passed_by) {
  RawHost busy([](int socket) {
    RawHost::read_request(socket);
    const std::string body = R"({"errcode":"M_UNKNOWN","error":"busy","retry_after_ms":1000})";
    RawHost::say(socket, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: " + std::to_string(body.size()) +
                             "\r\n\r\n" + body);
  });
  auto two = serve("two");
  route({{"one", &calling.host("one", busy.url())}, {"two", &calling.host("two", two->url())}});
  for (int i = 0; i < 3; ++i) {
    const auto answer = consumer.greet_once(within(20s), {"you", {}, {}});
    ASSERT_TRUE(answer.ok()) << answer.error().text;
    EXPECT_EQ(answer->host, "two");
  }
}

TEST_F(CallRouterTest, needs_the_shared_secret) {
  auto one = serve("one");
  CallingHost stranger("a guess that is wrong");
  Greeter mine;
  stranger.router({{"one", &stranger.host("one", one->url())}}).bind(mine);
  const auto answer = mine.greet(within(20s), {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "shared_secret");
  EXPECT_EQ(served, 0);
}

struct OtherGreeter : api::Interface {
  OtherGreeter() : Interface(Greeter::interface_id) {}
  api::Method<GreetRequest, GreetRequest> greet{*this, "greet", {.repeatable = true}};
};

TEST_F(CallRouterTest, refuses_another_description_of_the_interface) {
  auto one = serve("one");
  OtherGreeter other;
  calling.router({{"one", &calling.host("one", one->url())}}).bind(other);
  const auto answer = other.greet(within(20s), {"you", {}, {}});
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "fingerprint");
  EXPECT_NE(answer.error().text.find(first.fingerprint()), std::string::npos);
}

}  // namespace
}  // namespace backplane::host::test
