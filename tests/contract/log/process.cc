#include "process.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>
#include <thread>

#include "backplane/storage/database.h"

namespace backplane::log {
namespace {

constexpr storage::Migration migrations[] = {
    {1, "effects",
     "CREATE TABLE effects (n BIGINT NOT NULL PRIMARY KEY, grp TEXT NOT NULL, payload TEXT NOT NULL);\n"}};

}  // namespace

void add_effect(storage::Write& write, std::string_view group, std::string_view payload) {
  write.execute(
      "INSERT INTO effects (n, grp, payload) SELECT coalesce(max(n), 0) + 1, CAST(? AS TEXT), CAST(? AS TEXT) "
      "FROM effects",
      {group, payload});
}

Process::Process(World& w, Clock& c, RuntimeOptions options)
    : world(w),
      clock(c),
      transport(w.make_transport(c)),
      runtime(c, system_random(), testing::quiet_logger(), options) {}

StoreHandle& Process::store(const std::string& name) {
  auto& handle = stores[name];
  if (handle == nullptr) handle = std::make_unique<StoreHandle>();
  return *handle;
}

Consumer& Process::consumer(const std::string& group, ConsumeHandler before, ConsumeOptions options) {
  if (options.topic.empty()) options.topic = "events";
  options.group = group;
  return log().consume(std::move(options), store("consumer"),
                       [group, before](storage::Write& write, const Record& record) {
                         if (before) {
                           if (const Outcome outcome = before(write, record); outcome != Outcome::done) return outcome;
                         }
                         add_effect(write, group, record.payload);
                         return Outcome::done;
                       });
}

void Process::open_stores() {
  for (auto& [name, handle] : stores) {
    auto opened = storage::open_store(world.database(name), name, migrations, clock, nullptr, testing::quiet_logger(),
                                      runtime.hook(handle.get()));
    if (!opened) throw std::runtime_error(opened.error().text);
    handle->open(std::move(*opened));
  }
}

NewHistories Process::begin_histories() {
  open_stores();
  auto begun = runtime.begin_histories(*transport, soon());
  transport->stop();
  for (auto& [name, handle] : stores) handle->open(nullptr);
  if (!begun) throw std::runtime_error(begun.error().text);
  return *std::move(begun);
}

void Process::start() {
  if (wrap_transport) transport = wrap_transport(std::move(transport));
  open_stores();
  started_ = true;
  if (const auto result = runtime.start(*transport); !result) throw std::runtime_error(result.error().text);
}

void Process::stop() {
  if (!std::exchange(started_, false)) return;
  runtime.stop_consumers(clock.now() + std::chrono::seconds(10));
  runtime.stop();
  transport->stop();
  for (auto& [name, handle] : stores) handle->open(nullptr);
}

Position Process::publish(Publisher& publisher, std::string key, std::string payload, const std::string& name) {
  auto position = store(name).write([&](storage::Write& write) { return publisher.publish(write, key, payload); });
  if (!position) throw std::runtime_error(position.error().text);
  return *position;
}

std::vector<std::string> Process::effects(const std::string& group) {
  auto rows = store("consumer").read([&](storage::Session& session) {
    return session.list<std::string>("SELECT payload FROM effects WHERE grp = ? ORDER BY n", {group});
  });
  if (!rows) throw std::runtime_error(rows.error().text);
  return *rows;
}

std::int64_t Process::count(const std::string& name, const std::string& table) {
  auto rows = store(name).read([&](storage::Session& session) {
    return session.find<std::int64_t>("SELECT count(*) FROM " + table).value_or(-1);
  });
  return rows ? *rows : -1;
}

bool killed(const std::function<void()>& body) {
  const pid_t child = fork();
  if (child == 0) {
    try {
      body();
    } catch (...) {
      _exit(2);
    }
    _exit(1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

void crash() {
  kill(getpid(), SIGKILL);
  while (true) pause();
}

Instant soon() { return system_clock().now() + std::chrono::seconds(20); }

bool eventually(const std::function<bool()>& condition) {
  const Instant deadline = soon();
  while (!condition()) {
    if (system_clock().now() >= deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return true;
}

std::vector<std::string> numbered(int first, int last) {
  std::vector<std::string> texts;
  for (int i = first; i <= last; ++i) texts.push_back(std::to_string(i));
  return texts;
}

}  // namespace backplane::log
