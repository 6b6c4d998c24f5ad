// What was acknowledged is there: after a full disk, after the process was killed.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engines.h"

namespace backplane::storage {
namespace {

constexpr Migration migrations[] = {
    {1, "numbers", "CREATE TABLE numbers (id BIGINT PRIMARY KEY, filling TEXT NOT NULL);"}};

Result<void> insert(Store& store, std::int64_t id, std::size_t bytes, std::shared_ptr<Chain> chain = nullptr) {
  return store.write(
      [&](Write& write) {
        write.execute("INSERT INTO numbers (id, filling) VALUES (?, ?)", {id, std::string(bytes, 'x')});
      },
      std::move(chain));
}
std::set<std::int64_t> stored(Store& store) {
  const auto list = store.read([](Session& session) { return session.list<std::int64_t>("SELECT id FROM numbers"); });
  EXPECT_TRUE(list.ok());
  return {list->begin(), list->end()};
}

TEST(SqliteDurability, a_full_disk_is_told_and_loses_nothing_that_was_acknowledged) {
  testing::TemporaryDatabase database;
  database.config.max_pages = 200;
  auto store = database.open(migrations);
  std::mutex mutex;
  std::set<std::int64_t> acknowledged;
  std::atomic<int> full{0};
  {
    std::vector<std::jthread> writers;
    for (int t = 0; t < 8; ++t) {
      writers.emplace_back([&, t] {
        for (int i = 0; i < 100; ++i) {
          const std::int64_t id = t * 1000 + i;
          const auto result = insert(*store, id, 2000);
          if (result.ok()) {
            const std::lock_guard lock(mutex);
            acknowledged.insert(id);
          } else {
            EXPECT_EQ(result.error().code, ErrorCode::unavailable);
            EXPECT_EQ(result.error().reason, "disk_full") << result.error().text;
            ++full;
          }
        }
      });
    }
  }
  EXPECT_GT(full, 100);
  EXPECT_GT(acknowledged.size(), 100U);
  EXPECT_EQ(stored(*store), acknowledged);
  // It goes on once there is room.
  EXPECT_TRUE(store->write([](Write& write) { write.execute("DELETE FROM numbers"); }).ok());
  const auto room = insert(*store, -1, 2000);
  EXPECT_TRUE(room.ok()) << room.error().text;
  store.reset();
  store = database.open(migrations);
  EXPECT_TRUE(stored(*store).contains(-1));
}

TEST(SqliteDurability, a_full_disk_breaks_the_chain) {
  testing::TemporaryDatabase database;
  database.config.max_pages = 50;
  const auto store = database.open(migrations);
  const auto chain = std::make_shared<Chain>();
  EXPECT_TRUE(insert(*store, 1, 10, chain).ok());
  EXPECT_EQ(insert(*store, 2, 1000000, chain).error().reason, "disk_full");
  EXPECT_EQ(insert(*store, 3, 10, chain).error().reason, "chain_broken");
  EXPECT_TRUE(insert(*store, 4, 10).ok());
}

TEST(SqliteDurability, a_killed_process_leaves_what_it_acknowledged) {
  testing::TemporaryDatabase database;
  database.config.synchronous = Synchronous::full;
  database.open(migrations);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t child = fork();
  if (child == 0) {
    const auto store = database.open(migrations);
    std::vector<std::jthread> writers;
    for (int t = 0; t < 8; ++t) {
      writers.emplace_back([&, t] {
        for (std::int64_t id = t; insert(*store, id, 500).ok(); id += 8) {
          if (write(ends[1], &id, sizeof id) != sizeof id) _exit(1);
        }
      });
    }
    writers.clear();
    _exit(1);
  }
  close(ends[1]);
  std::this_thread::sleep_for(std::chrono::milliseconds(700));
  kill(child, SIGKILL);
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFSIGNALED(status));
  std::set<std::int64_t> acknowledged;
  for (std::int64_t id = 0; read(ends[0], &id, sizeof id) == sizeof id;) acknowledged.insert(id);
  close(ends[0]);
  EXPECT_GT(acknowledged.size(), 20U);
  const auto store = database.open(migrations);
  const auto found = stored(*store);
  for (const std::int64_t id : acknowledged) EXPECT_TRUE(found.contains(id)) << id;
  EXPECT_TRUE(
      store->read([](Session& session) { return *session.find<std::string>("PRAGMA integrity_check"); }).value() ==
      "ok");
}

}  // namespace
}  // namespace backplane::storage
