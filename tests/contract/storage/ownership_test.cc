// Hosts that share a store on PostgreSQL: who owns what, and that nobody else writes it. Several stores of this process
// play hosts; where one has to be killed or paused it is a process of its own.
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "engines.h"

namespace backplane::storage {
namespace {

using namespace std::chrono_literals;

constexpr Migration migrations[] = {
    {1, "rows", "CREATE TABLE rows (id BIGINT PRIMARY KEY, host TEXT NOT NULL, generation BIGINT NOT NULL);"}};
constexpr std::uint16_t lanes = leader_shard;

bool eventually(const std::function<bool()>& condition, Duration patience = 30s) {
  const Instant deadline = system_clock().now() + patience;
  while (!condition()) {
    if (system_clock().now() >= deadline) return false;
    std::this_thread::sleep_for(5ms);
  }
  return true;
}

std::set<std::uint16_t> owned_by(const Store& store) {
  std::set<std::uint16_t> owned;
  for (std::uint16_t shard = 0; shard < lanes; ++shard)
    if (store.ownership().owns(shard)) owned.insert(shard);
  return owned;
}

Result<void> insert(Store& store, std::int64_t id, const std::string& host, std::shared_ptr<Chain> chain = nullptr,
                    std::uint64_t generation = 0) {
  return store.write(
      [&](Write& write) {
        write.execute("INSERT INTO rows (id, host, generation) VALUES (?, ?, ?)", {id, host, generation});
      },
      std::move(chain));
}

std::int64_t count_rows(Store& store, const std::string& host) {
  return store
      .read([&](Session& session) {
        return session.find<std::int64_t>("SELECT COUNT(*) FROM rows WHERE host = ?", {host}).value_or(-1);
      })
      .value_or(-1);
}

class OwnershipContract : public ::testing::Test {
 protected:
  /// Times for a test in which nobody is to be taken for dead.
  static SharingTimes patient() { return {.heartbeat = 50ms, .takeover = 600s, .claim_wait = 20s, .connect_wait = {}}; }
  static SharingTimes quick() { return {.heartbeat = 50ms, .takeover = 800ms, .claim_wait = 20s, .connect_wait = {}}; }

  Result<std::unique_ptr<Store>> try_open(const std::string& host, Sharing sharing, SharingTimes times = patient()) {
    DatabaseConfig config = database_.config;
    config.host = host;
    config.sharing = sharing;
    config.times = times;
    return open_store(config, "rooms", migrations, system_clock(), nullptr, testing::quiet_logger());
  }
  std::unique_ptr<Store> open(const std::string& host, Sharing sharing = Sharing::sharded,
                              SharingTimes times = patient()) {
    auto store = try_open(host, sharing, times);
    if (!store) throw std::runtime_error(store.error().text);
    return std::move(*store);
  }
  /// Runs `body` in a process of its own, with its end of a pipe; the other end is read_end_.
  pid_t start_host(const std::function<void(int)>& body) {
    int ends[2];
    if (pipe(ends) != 0) throw std::runtime_error("no pipe");
    const pid_t child = fork();
    if (child == 0) {
      try {
        body(ends[1]);
      } catch (...) {
        _exit(2);
      }
      _exit(1);
    }
    close(ends[1]);
    read_end_ = ends[0];
    return child;
  }
  std::int64_t next_number() {
    std::int64_t number = -1;
    return read(read_end_, &number, sizeof number) == sizeof number ? number : -1;
  }
  static void tell(int pipe, std::int64_t number) {
    if (write(pipe, &number, sizeof number) != sizeof number) _exit(3);
  }
  void TearDown() override {
    if (read_end_ >= 0) close(read_end_);
  }

  testing::TemporaryDatabase database_{postgresql_server()};
  int read_end_ = -1;
};

TEST_F(OwnershipContract, an_exclusive_store_is_one_process_alone) {
  auto first = open("one", Sharing::exclusive);
  SharingTimes times = patient();
  times.claim_wait = 300ms;
  const auto second = try_open("two", Sharing::exclusive, times);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, "store_in_use");
  EXPECT_NE(second.error().text.find("'backplane one rooms'"), std::string::npos) << second.error().text;
  // Nor does a host get in that would share it, or a process that knows no other.
  EXPECT_EQ(try_open("two", Sharing::sharded, times).error().reason, "store_in_use");
  EXPECT_EQ(try_open("", Sharing::sharded, times).error().reason, "store_in_use");
  EXPECT_TRUE(insert(*first, 1, "one"));
}

TEST_F(OwnershipContract, a_guest_writes_beside_the_one_that_has_the_store) {
  auto store = open("one", Sharing::exclusive);
  DatabaseConfig config = database_.config;
  config.guest = true;
  const auto guest = open_store(config, "rooms", migrations, system_clock(), nullptr, testing::quiet_logger());
  ASSERT_TRUE(guest) << guest.error().text;
  EXPECT_TRUE(insert(**guest, 1, "guest"));
  EXPECT_TRUE(insert(*store, 2, "one"));
  EXPECT_EQ(count_rows(*store, "guest"), 1);
}

TEST_F(OwnershipContract, an_exclusive_store_waits_for_the_one_before) {
  auto first = open("one", Sharing::exclusive);
  std::jthread ending([&] {
    std::this_thread::sleep_for(300ms);
    first.reset();
  });
  const auto second = try_open("one", Sharing::exclusive);
  ASSERT_TRUE(second) << second.error().text;
  EXPECT_TRUE(insert(**second, 1, "one"));
}

TEST_F(OwnershipContract, work_on_what_was_known_before_a_lost_connection_fails) {
  for (const Sharing sharing : {Sharing::exclusive, Sharing::sharded}) {
    testing::TemporaryDatabase other(postgresql_server());
    DatabaseConfig config = other.config;
    config.host = "one";
    config.sharing = sharing;
    config.times = patient();
    const auto store = open_store(config, "rooms", migrations, system_clock(), nullptr, testing::quiet_logger());
    ASSERT_TRUE(store) << store.error().text;
    const std::uint64_t generation = (*store)->ownership().generation(3);
    ASSERT_NE(generation, 0U);
    const auto chain = std::make_shared<Chain>(3, generation);
    EXPECT_TRUE(insert(**store, 1, "one", chain));
    postgresql_server().restart();
    std::string reason = "storage";  // while it is away
    ASSERT_TRUE(eventually([&] {
      const auto late = insert(**store, 2, "one", std::make_shared<Chain>(3, generation));
      reason = late ? "written" : late.error().reason;
      return reason != "storage";
    }));
    EXPECT_EQ(reason, "not_owner");
    ASSERT_TRUE(eventually([&] { return (*store)->ownership().owns(3); }));
    EXPECT_GT((*store)->ownership().generation(3), generation);
    EXPECT_TRUE(insert(**store, 3, "one", std::make_shared<Chain>(3, (*store)->ownership().generation(3))));
    EXPECT_EQ(count_rows(**store, "one"), 2);
  }
}

TEST_F(OwnershipContract, the_only_host_owns_everything) {
  const auto store = open("one");
  EXPECT_EQ(owned_by(*store).size(), lanes);
  EXPECT_TRUE(store->ownership().leads());
  EXPECT_TRUE(store->ownership().shared());
  EXPECT_EQ(store->ownership().owner(5), "one");
}

TEST_F(OwnershipContract, hosts_share_evenly_and_few_shards_move) {
  auto one = open("one");
  const std::uint64_t first_generation = one->ownership().generation(0);
  auto two = open("two");
  const auto shared_by = [](const std::vector<Store*>& stores, const std::vector<std::size_t>& counts) {
    std::multiset<std::size_t> found;
    std::set<std::uint16_t> all;
    int leaders = 0;
    for (Store* store : stores) {
      const auto owned = owned_by(*store);
      found.insert(owned.size());
      all.insert(owned.begin(), owned.end());
      leaders += store->ownership().leads() ? 1 : 0;
    }
    return all.size() == lanes && leaders == 1 && found == std::multiset<std::size_t>(counts.begin(), counts.end());
  };
  ASSERT_TRUE(eventually([&] { return shared_by({one.get(), two.get()}, {8, 8}); }));
  const auto of_one = owned_by(*one), of_two = owned_by(*two);
  EXPECT_EQ(one->ownership().generation(*of_one.begin()), first_generation);  // it did not move
  EXPECT_TRUE(eventually([&] { return one->ownership().owner(*of_two.begin()) == "two"; }));
  const auto error = not_owner(one->ownership(), *of_two.begin());
  EXPECT_EQ(error.fields, (std::vector<ErrorField>{{"owner", "\"two\""}}));

  auto three = open("three");
  ASSERT_TRUE(eventually([&] { return shared_by({one.get(), two.get(), three.get()}, {6, 5, 5}); }));
  for (const std::uint16_t shard : owned_by(*one)) EXPECT_TRUE(of_one.contains(shard));
  for (const std::uint16_t shard : owned_by(*two)) EXPECT_TRUE(of_two.contains(shard));

  // The times are such that nobody is taken for dead: one that ends hands over by itself.
  const Instant begun = system_clock().now();
  three.reset();
  ASSERT_TRUE(eventually([&] { return shared_by({one.get(), two.get()}, {8, 8}); }));
  std::printf("handed over after %lld ms (heartbeat 50 ms)\n",
              static_cast<long long>((system_clock().now() - begun) / 1ms));
  one.reset();
  ASSERT_TRUE(eventually([&] { return shared_by({two.get()}, {16}); }));
}

TEST_F(OwnershipContract, a_shard_of_another_is_refused) {
  auto one = open("one");
  auto two = open("two");
  ASSERT_TRUE(eventually([&] { return owned_by(*one).size() == 8 && owned_by(*two).size() == 8; }));
  const std::uint16_t shard = *owned_by(*two).begin();
  EXPECT_EQ(insert(*one, 1, "one", std::make_shared<Chain>(shard, 1)).error().reason, "not_owner");
  EXPECT_EQ(two->ownership().generation(shard), 2U);  // the second time that it was taken
  EXPECT_TRUE(insert(*two, 2, "two", std::make_shared<Chain>(shard, 2)));
}

TEST_F(OwnershipContract, a_led_store_is_written_by_all_and_has_one_leader) {
  auto one = open("one", Sharing::led);
  auto two = open("two", Sharing::led);
  EXPECT_TRUE(insert(*one, 1, "one"));
  EXPECT_TRUE(insert(*two, 2, "two"));
  EXPECT_NE(one->ownership().leads(), two->ownership().leads());
  const bool one_led = one->ownership().leads();
  (one_led ? one : two).reset();
  EXPECT_TRUE(eventually([&] { return (one_led ? two : one)->ownership().leads(); }));
}

TEST_F(OwnershipContract, a_name_is_one_hosts) {
  auto one = open("one");
  SharingTimes times = patient();
  times.claim_wait = 300ms;
  const auto second = try_open("one", Sharing::sharded, times);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, "store_in_use");
  EXPECT_NE(second.error().text.find("host 'one'"), std::string::npos) << second.error().text;
  EXPECT_EQ(owned_by(*one).size(), lanes);
}

TEST_F(OwnershipContract, stores_that_are_opened_at_once_migrate_once) {
  std::array<std::unique_ptr<Store>, 4> stores;
  std::vector<std::jthread> threads;
  for (std::size_t i = 0; i < stores.size(); ++i)
    threads.emplace_back([&, i] { stores[i] = open("host" + std::to_string(i)); });
  threads.clear();
  ASSERT_TRUE(eventually(
      [&] { return std::ranges::all_of(stores, [](const auto& store) { return owned_by(*store).size() == 4; }); }));
  EXPECT_TRUE(insert(*stores[3], 1, "host3"));
}

TEST_F(OwnershipContract, the_shards_of_a_killed_host_move) {
  const pid_t child = start_host([this](int pipe) {
    const auto store = open("killed", Sharing::sharded, quick());
    tell(pipe, static_cast<std::int64_t>(owned_by(*store).size()));
    while (true) pause();
  });
  ASSERT_EQ(next_number(), lanes);
  const auto store = open("other", Sharing::sharded, quick());
  ASSERT_TRUE(eventually([&] { return owned_by(*store).size() == lanes / 2; }));
  ::kill(child, SIGKILL);
  const Instant begun = system_clock().now();
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(eventually([&] { return owned_by(*store).size() == lanes && store->ownership().leads(); }));
  std::printf("a killed host's shards were taken over after %lld ms (heartbeat 50 ms)\n",
              static_cast<long long>((system_clock().now() - begun) / 1ms));
}

TEST_F(OwnershipContract, a_paused_host_cannot_write_what_was_taken_over) {
  const pid_t child = start_host([this](int pipe) {
    const auto store = open("paused", Sharing::sharded, quick());
    const std::uint64_t generation = store->ownership().generation(0);
    const auto chain = std::make_shared<Chain>(0, generation);
    // As fast as it can, so that it is paused anywhere: in the work, before its commit, or after.
    for (std::int64_t id = 1;; ++id) {
      const auto written = insert(*store, id, "paused", chain, generation);
      tell(pipe, written ? id : -id);
      if (!written) break;
    }
    // It tries on, in whatever way: with the old chain, and as what it thinks that it is now.
    for (std::int64_t id = 1'000'000; id < 1'000'040; ++id) {
      const std::uint64_t now = store->ownership().generation(0);
      tell(pipe, insert(*store, id, "paused", std::make_shared<Chain>(0, now == 0 ? generation : now)) ? id : -id);
      std::this_thread::sleep_for(5ms);
    }
    while (true) pause();
  });
  for (int i = 0; i < 20; ++i) ASSERT_GT(next_number(), 0);
  ::kill(child, SIGSTOP);
  const Instant begun = system_clock().now();
  const auto store = open("other", Sharing::sharded, quick());
  ASSERT_TRUE(eventually([&] { return owned_by(*store).size() == lanes; }));
  std::printf("a paused host's shards were taken over after %lld ms (takeover 800 ms)\n",
              static_cast<long long>((system_clock().now() - begun) / 1ms));
  const std::int64_t before = count_rows(*store, "paused");
  ASSERT_TRUE(insert(*store, 2'000'000, "other", std::make_shared<Chain>(0, store->ownership().generation(0))));
  // It may get the shard again, as a host that has come back; but nothing of the generation in which it was paused.
  ::kill(child, SIGCONT);
  std::int64_t number = next_number(), acknowledged = 0;
  for (; number > 0 && number < 1'000'000; number = next_number()) acknowledged = number;
  EXPECT_LT(number, 0);
  EXPECT_LE(acknowledged, before);  // what was acknowledged was there when the shard was taken over
  for (int tries = 0; tries < 40; ++tries) {
    number = next_number();
    EXPECT_GE(std::abs(number), 1'000'000);
  }
  const auto stale = store->read([&](Session& session) {
    return session.find<std::int64_t>("SELECT COUNT(*) FROM rows WHERE host = 'paused' AND generation <> 0")
        .value_or(-1);
  });
  EXPECT_EQ(*stale, before);
  ::kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST_F(OwnershipContract, a_server_that_restarts_under_load_loses_nothing_that_was_acknowledged) {
  database_.config.synchronous = Synchronous::full;
  for (const bool killed : {false, true}) {
    const std::int64_t first = killed ? 10'000'000 : 0;
    const auto store = open(killed ? "two" : "one");
    std::atomic<bool> ending{false};
    std::atomic<int> failures{0};
    std::array<std::vector<std::int64_t>, 4> acknowledged;
    {
      std::vector<std::jthread> writers;
      for (std::size_t w = 0; w < acknowledged.size(); ++w) {
        writers.emplace_back([&, w] {
          for (std::int64_t id = first + static_cast<std::int64_t>(w); !ending.load(); id += 4) {
            const auto written = insert(*store, id, "load");
            if (written) {
              acknowledged[w].push_back(id);
              continue;
            }
            ++failures;
            EXPECT_EQ(written.error().code, ErrorCode::unavailable) << written.error().text;
          }
        });
      }
      const auto total = [&] { return count_rows(*store, "load"); };
      ASSERT_TRUE(eventually([&] { return total() > 200; }));
      if (killed) {
        postgresql_server().kill();
        std::this_thread::sleep_for(200ms);
        postgresql_server().start();
      } else {
        postgresql_server().restart();
      }
      const Instant back = system_clock().now();
      ASSERT_TRUE(eventually([&] { return owned_by(*store).size() == lanes && insert(*store, -1 - first, "probe"); }));
      std::printf("healed %lld ms after the server was back, %d writes failed\n",
                  static_cast<long long>((system_clock().now() - back) / 1ms), failures.load());
      const auto now = total();
      ASSERT_TRUE(eventually([&] { return total() > now + 100; }));
      ending = true;
    }
    std::set<std::int64_t> stored;
    ASSERT_TRUE(store->read([&](Session& session) {
      for (const std::int64_t id : session.list<std::int64_t>("SELECT id FROM rows")) stored.insert(id);
    }));
    for (const auto& ids : acknowledged)
      for (const std::int64_t id : ids) EXPECT_TRUE(stored.contains(id)) << id;
  }
}

TEST_F(OwnershipContract, a_server_that_is_away_at_the_start_is_waited_for) {
  postgresql_server().stop();
  const auto at_once = try_open("one", Sharing::sharded);
  EXPECT_EQ(at_once.error().reason, "storage") << at_once.error().text;
  SharingTimes times = patient();
  times.connect_wait = 30s;
  std::optional<Result<std::unique_ptr<Store>>> opened;
  std::jthread opening([&] { opened.emplace(try_open("one", Sharing::sharded, times)); });
  std::this_thread::sleep_for(300ms);
  postgresql_server().start();  // the server ends with the thread that started it
  opening.join();
  const auto& store = *opened;
  ASSERT_TRUE(store) << store.error().text;
  EXPECT_EQ(owned_by(**store).size(), lanes);
}

}  // namespace
}  // namespace backplane::storage
