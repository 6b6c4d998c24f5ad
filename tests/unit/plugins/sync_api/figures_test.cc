// What answers cost. Not run with the others: sync_api_test --gtest_also_run_disabled_tests --gtest_filter=*Figures*
#include <sys/resource.h>

#include <cstdio>

#include "sync_fixture.h"

namespace backplane::sync_api {
namespace {

double cpu_us() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& t) { return 1e6 * static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec); };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

struct DISABLED_Figures : SyncFixture {
  template <class Work>
  void measure(const char* what, int times, int per, Work work) {
    work();
    const double before = cpu_us();
    for (int i = 0; i < times; ++i) work();
    std::printf("%-40s %8.1f us\n", what, (cpu_us() - before) / times / per);
  }
};

TEST_F(DISABLED_Figures, Syncs) {
  std::vector<RoomId> many;
  for (int i = 0; i < 50; ++i) {
    many.push_back(make_room(alice));
    for (int m = 0; m < 10; ++m) say(alice, many.back(), "message " + std::to_string(m));
  }
  measure("initial sync, per room", 5, 50, [&] { sync(alice); });
  std::string since = sync(alice)["next_batch"].string();
  measure("nothing new", 2000, 1, [&] { poll(alice, "timeout=0&since=" + since); });
  measure("park and abandon", 2000, 1, [&] { poll(alice, "timeout=30000&since=" + since).answer->abandon(); });
  measure("messages, 10", 200, 1, [&] { room_get(alice, many[0], "/messages", "dir=b"); });
}

TEST_F(DISABLED_Figures, Wakes) {
  const RoomId room = make_room(alice);
  std::vector<UserId> members;
  for (int i = 0; i < 50; ++i) {
    members.emplace_back("@user" + std::to_string(i) + ":test.example");
    join(room, members.back());
  }
  std::vector<std::string> since;
  for (const UserId& user : members) since.push_back(sync(user)["next_batch"].string());
  double waking = 0, sending = 0;
  constexpr int rounds = 20;
  for (int round = 0; round < rounds; ++round) {
    double before = cpu_us();
    say(alice, room, "nobody waits");
    for (std::size_t i = 0; i < members.size(); ++i) since[i] = sync(members[i], since[i])["next_batch"].string();
    std::vector<Asked> polls;
    before = cpu_us();
    say(alice, room, "nobody waits");
    sync(alice);
    sending += cpu_us() - before;
    for (std::size_t i = 0; i < members.size(); ++i) since[i] = sync(members[i], since[i])["next_batch"].string();
    for (std::size_t i = 0; i < members.size(); ++i) polls.push_back(poll(members[i], "timeout=30000&since=" + since[i]));
    before = cpu_us();
    say(alice, room, "wake up");
    for (const Asked& p : polls) ASSERT_TRUE(p.answer->arrives());
    waking += cpu_us() - before;
  }
  std::printf("%-40s %8.1f us\n", "a wake-up, per receiver", (waking - sending) / rounds / 50);
}

}  // namespace
}  // namespace backplane::sync_api
