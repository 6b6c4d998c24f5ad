// What the room server costs: sends, joins, state and new rooms through its interface, on SQLite that waits for the
// disk. Prints microseconds of this process's CPU time and of wall time for each.
//
//   BACKPLANE_PLUGIN_FOLDER=… room_server_bench [operations]
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/testing/fake_host.h"

namespace {

using namespace backplane;

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

struct Bench {
  testing::FakeHost host{[] {
    testing::FakeHostOptions options;
    options.synchronous = storage::Synchronous::full;
    options.real_time = true;
    return options;
  }()};
  api::RoomServer* rooms = nullptr;
  std::atomic<int> failures{0};

  void measure(const char* name, int threads, int count, const std::function<bool(int thread, int i)>& operation) {
    const auto commits = host.commits("room_server");
    const double cpu = cpu_seconds();
    const auto wall = std::chrono::steady_clock::now();
    std::vector<std::thread> workers;
    for (int t = 0; t < threads; ++t) {
      workers.emplace_back([&, t] {
        for (int i = t; i < count; i += threads) {
          if (!operation(t, i)) ++failures;
        }
      });
    }
    for (auto& worker : workers) worker.join();
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - wall;
    std::printf("%-28s %d threads  cpu %8.1f us  wall %8.1f us  %6.2f operations a commit  failures %d\n", name,
                threads, (cpu_seconds() - cpu) / count * 1e6, elapsed.count() / count * 1e6,
                count / static_cast<double>(host.commits("room_server") - commits + 1e-9), failures.load());
  }
};

UserId user(int i) { return UserId("@u" + std::to_string(i) + ":test.example"); }

}  // namespace

int main(int argc, char** argv) {
  const int count = argc > 1 ? std::atoi(argv[1]) : 4000;
  Bench bench;
  bench.host.load("room_server");
  bench.host.start();
  bench.rooms = &bench.host.connect<api::RoomServer>();
  const auto create = [&](int owner) {
    api::CreateRoomRequest request;
    request.creator.user = user(owner);
    request.preset = "public_chat";
    request.name = "room";
    Result<api::CreateRoomResponse> created = Error();
    bench.rooms->create_room({}, request, [&](auto result) { created = std::move(result); });
    return created;
  };
  const auto join = [&](const RoomId& room, int i) {
    api::ChangeMembershipRequest request;
    request.room_id = room;
    request.sender = request.target.user = user(i);
    bool ok = false;
    bench.rooms->change_membership({}, request, [&](auto result) { ok = result.ok(); });
    return ok;
  };
  const auto submit = [&](const RoomId& room, int sender, std::string type, std::string content,
                          std::string transaction, bool state) {
    api::SubmitDraftRequest request;
    request.draft.room_id = room;
    request.draft.sender = user(sender);
    request.draft.type = std::move(type);
    request.draft.content.text = std::move(content);
    if (state) request.draft.state_key = "";
    if (!transaction.empty())
      request.key = {user(sender), DeviceId("D"), "/send/" + room.str(), TransactionId(transaction)};
    return bench.rooms->submit_draft({}, request).ok();
  };

  std::vector<RoomId> rooms(16);
  bench.measure("create room", 1, 16,
                [&](int, int i) { return (rooms[static_cast<std::size_t>(i)] = create(i)->room_id, true); });
  for (const int threads : {1, 8}) {
    bench.measure("create room", threads, count / 8, [&](int, int i) { return create(i).ok(); });
    bench.measure("send to 16 rooms", threads, count, [&](int t, int i) {
      const auto room = static_cast<std::size_t>(i % 16);
      return submit(rooms[room], i % 16, "m.room.message", R"({"body":"hello, world","msgtype":"m.text"})",
                    std::to_string(threads) + "." + std::to_string(t) + "." + std::to_string(i), false);
    });
    bench.measure("send to one room", threads, count, [&](int t, int i) {
      return submit(rooms[0], 0, "m.room.message", R"({"body":"hello, world","msgtype":"m.text"})",
                    "one" + std::to_string(threads) + "." + std::to_string(t) + "." + std::to_string(i), false);
    });
    bench.measure("put state", threads, count, [&](int, int i) {
      return submit(rooms[static_cast<std::size_t>(i % 16)], i % 16, "m.room.topic",
                    "{\"topic\":\"" + std::to_string(threads) + "." + std::to_string(i) + "\"}", "", true);
    });
    const RoomId big = create(0)->room_id;
    for (int i = 1; i <= 500; ++i) join(big, 100000 + i);
    bench.measure("join a room of 500 or more", threads, count / 8, [&](int, int i) { return join(big, 200000 + i); });
  }
  const RoomId readable = rooms[0];
  bench.measure("get state event", 1, count, [&](int, int) {
    return bench.rooms->get_state_event({}, {readable, user(0), "m.room.name", ""}).ok();
  });
  bench.host.stop();
  return bench.failures == 0 ? 0 : 1;
}
