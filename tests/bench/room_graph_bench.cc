// What it costs to take a room of other servers: 100,000 events of 10,000 members on 30 servers, whose histories branch
// now and then as those of real rooms do, with their signatures checked. Then what the room costs on the disk, and what
// it is to work with.
//
//   BACKPLANE_PLUGIN_FOLDER=… room_graph_bench [events] [members] [folder to leave the database in]
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <random>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "backplane/api/room_server.h"
#include "backplane/base/encoding.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/event_builder.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/testing/fake_host.h"

namespace {

using namespace backplane;

constexpr std::size_t servers = 30;
constexpr std::size_t batch = 50;  ///< as many PDUs as a transaction of the federation may have

double cpu_seconds(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}
double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string server_name(std::size_t n) { return "server" + std::to_string(n) + ".example"; }
const UserId owner("@owner:test.example");

/// Makes the events: members join, talk, change their names; each server sees what the others say a little late.
class Room {
 public:
  Room(std::vector<matrix::Event> line, const matrix::RoomVersion& version, const std::vector<matrix::SigningKey>& keys)
      : version_(version), keys_(keys), room_id_(line.front().room_id()) {
    for (const matrix::Event& event : line) {
      if (event.is_state("m.room.create", "")) create_ = event.event_id();
      if (event.is_state("m.room.power_levels", "")) power_levels_ = event.event_id();
      if (event.is_state("m.room.join_rules", "")) join_rules_ = event.event_id();
    }
    tips_.assign(servers, {line.back().event_id()});
    unseen_.resize(servers);
    depth_ = line.back().depth();
  }

  matrix::Event next(std::size_t members) {
    const std::size_t server = chance_() % servers;
    const std::size_t nobody = joined_.size();
    // Half of the members come at once, the others in between.
    const bool joins = nobody < members && (nobody < members / 2 || chance_() % 20 == 0);
    const std::size_t n = joins ? nobody : pick();
    const std::size_t home = joins ? server : joined_[n].server;
    matrix::EventDraft draft;
    draft.room_id = room_id_;
    draft.sender = UserId("@member" + std::to_string(n) + ":" + server_name(home));
    draft.depth = ++depth_;
    draft.origin_server_ts = 1'700'000'000'000 + depth_ * 1000;
    draft.prev_events = tips_[home];
    if (!version_.create_event_is_implied) draft.auth_events.push_back(create_);
    draft.auth_events.push_back(power_levels_);
    if (joins) draft.auth_events.push_back(join_rules_);
    else draft.auth_events.push_back(joined_[n].event);
    const bool renames = !joins && chance_() % 50 == 0;
    if (renames) draft.auth_events.push_back(join_rules_);
    if (joins || renames) {
      draft.type = "m.room.member";
      draft.state_key = draft.sender.str();
      draft.content = R"({"displayname":"Member )" + std::to_string(chance_() % 100000) + R"(","membership":"join"})";
    } else {
      draft.type = "m.room.message";
      draft.content = R"({"body":")" + std::string(20 + chance_() % 180, 'x') + R"(","msgtype":"m.text"})";
    }
    auto event = matrix::build_event(draft, version_, keys_[home]);
    if (!event) std::abort();
    if (joins) joined_.push_back({home, event->event_id()});
    if (renames) joined_[n].event = event->event_id();
    spread(home, {event->event_id(), draft.prev_events});
    return *event;
  }

 private:
  struct Member {
    std::size_t server;
    EventId event;
  };

  std::size_t pick() { return joined_.empty() ? 0 : chance_() % joined_.size(); }

  struct Seen {
    EventId event_id;
    std::vector<EventId> prev_events;
  };

  /// What a server follows next, once it has seen the event.
  void see(std::size_t server, const Seen& event) {
    std::vector<EventId>& tips = tips_[server];
    std::erase_if(
        tips, [&](const EventId& tip) { return std::ranges::find(event.prev_events, tip) != event.prev_events.end(); });
    tips.push_back(event.event_id);
  }

  /// All see the event at once, but for one now and then who sees it with the next one and may say something before.
  void spread(std::size_t from, const Seen& event) {
    const bool all_see = chance_() % 10 != 0;
    const std::size_t late = chance_() % servers;
    for (std::size_t server = 0; server < servers; ++server) {
      if (server != from && server == late && !all_see) {
        unseen_[server].push_back(event);
        continue;
      }
      if (server != from) {
        for (const Seen& earlier : std::exchange(unseen_[server], {})) see(server, earlier);
      }
      see(server, event);
    }
  }

  const matrix::RoomVersion& version_;
  const std::vector<matrix::SigningKey>& keys_;
  const RoomId room_id_;
  EventId create_, power_levels_, join_rules_;
  std::vector<Member> joined_;
  std::vector<std::vector<EventId>> tips_;  ///< as each server sees the room
  std::vector<std::vector<Seen>> unseen_;
  std::int64_t depth_ = 0;
  std::mt19937_64 chance_{1};
};

struct Batch {
  api::ReceiveEventsRequest request;
  std::vector<matrix::Event> events;
};

}  // namespace

int main(int argc, char** argv) {
  const std::size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 100'000;
  const std::size_t members = argc > 2 ? std::strtoul(argv[2], nullptr, 10) : 10'000;
  testing::FakeHostOptions options;
  options.synchronous = storage::Synchronous::full;
  options.real_time = true;
  testing::FakeHost host(options);
  host.load("room_server");
  host.start();
  auto& rooms = host.connect<api::RoomServer>();
  api::CreateRoomRequest create;
  create.creator.user = owner;
  create.preset = "public_chat";
  Result<api::CreateRoomResponse> created = Error();
  rooms.create_room({}, create, [&](auto result) { created = std::move(result); });
  if (!created) return 1;
  const RoomId room_id = created->room_id;
  const matrix::RoomVersion& version = *matrix::find_room_version("12");

  std::vector<matrix::Event> line;
  for (const auto& record : host.records("room_events")) {
    const auto decoded = from_json<api::RoomEventRecord>(record->payload);
    line.push_back(matrix::Event::from_stored(decoded->event.text, decoded->event_id, version));
  }
  testing::FakeRandom random;
  std::vector<matrix::SigningKey> keys;
  for (std::size_t i = 0; i < servers; ++i) keys.push_back(std::move(*matrix::SigningKey::generate("a", random)));
  std::unordered_map<std::string, std::string> public_keys;
  for (std::size_t i = 0; i < servers; ++i) public_keys[server_name(i)] = keys[i].public_key();

  std::vector<Batch> batches;
  Room room(line, version, keys);
  std::size_t json_bytes = 0;
  for (std::size_t made = 0; made < count;) {
    Batch& one = batches.emplace_back();
    one.request.room_id = room_id;
    for (std::size_t i = 0; i < batch && made < count; ++i, ++made) {
      one.events.push_back(room.next(members));
      json_bytes += one.events.back().json().size();
      one.request.events.push_back({{std::string(one.events.back().json())}, api::ReceivedKind::new_event, {}});
    }
  }
  std::printf("%zu events, %zu bytes of JSON each\n", count, json_bytes / count);

  double verifying = 0;
  const auto verify = [&](const Batch& one) {
    const double before = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    for (const matrix::Event& event : one.events) {
      const std::string form = matrix::signed_form(event.json(), version);
      for (const ServerName& server : matrix::required_signers(event)) {
        if (!matrix::verify_event(event, form, server, "ed25519:a", public_keys[server.str()])) std::abort();
      }
    }
    verifying += cpu_seconds(CLOCK_THREAD_CPUTIME_ID) - before;
  };
  // The signatures of a batch are checked while the one before is taken.
  const double cpu = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
  const double wall = wall_seconds();
  std::size_t accepted = 0;
  std::future<void> verified = std::async(std::launch::async, [&] { verify(batches.front()); });
  for (std::size_t i = 0; i < batches.size(); ++i) {
    verified.get();
    if (i + 1 < batches.size()) verified = std::async(std::launch::async, [&, i] { verify(batches[i + 1]); });
    const auto taken = rooms.receive_events({}, batches[i].request);
    if (!taken) {
      std::printf("%s\n", taken.error().text.c_str());
      return 1;
    }
    for (const auto& result : taken->results) accepted += result.outcome == api::ReceivedOutcome::accepted ? 1 : 0;
  }
  const double took = wall_seconds() - wall;
  const double used = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu - verifying;
  const auto n = static_cast<double>(count);
  std::printf("taken %zu of %zu in %.1f s; an event: %.1f us of CPU, and %.1f us for its signature\n", accepted, count,
              took, used / n * 1e6, verifying / n * 1e6);

  const auto measure = [&](const char* name, int times, const std::function<bool(int)>& operation) {
    const double cpu_before = cpu_seconds(CLOCK_PROCESS_CPUTIME_ID);
    const double before = wall_seconds();
    int failures = 0;
    for (int i = 0; i < times; ++i) failures += operation(i) ? 0 : 1;
    std::printf("%-32s cpu %8.3f ms  wall %8.3f ms  failures %d\n", name,
                (cpu_seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu_before) / times * 1e3,
                (wall_seconds() - before) / times * 1e3, failures);
  };
  measure("join of a local user", 200, [&](int i) {
    api::ChangeMembershipRequest request;
    request.room_id = room_id;
    request.sender = request.target.user = UserId("@local" + std::to_string(i) + ":test.example");
    bool ok = false;
    rooms.change_membership({}, request, [&](auto result) { ok = result.ok(); });
    return ok;
  });
  std::mt19937_64 chance(2);
  measure("state at a random event", 3000, [&](int) {
    const Batch& one = batches[chance() % batches.size()];
    return rooms.get_state_at_event({}, {room_id, one.events[chance() % one.events.size()].event_id(), false}).ok();
  });
  std::size_t log_bytes = 0;  // nobody here takes records out of the log
  for (const auto& record : host.records("room_events")) log_bytes += record->payload.size();
  const std::string folder = host.folder();
  host.stop();  // folds the write-ahead log in
  std::uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().filename().string().starts_with("room_server.db")) bytes += file.file_size();
  }
  if (argc > 3) std::filesystem::copy(folder + "/room_server.db", std::filesystem::path(argv[3]) / "room_server.db");
  std::printf("on the disk: %.0f bytes an event beyond its JSON, and what is in the log\n",
              (static_cast<double>(bytes) - static_cast<double>(json_bytes + log_bytes)) / n);
  return 0;
}
