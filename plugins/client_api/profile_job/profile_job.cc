#include "profile_job/profile_job.h"

#include <future>
#include <memory>
#include <utility>

namespace backplane::client_api {
namespace {
constexpr Duration pause_after_failure = std::chrono::seconds(5);
// Another host may have stored a job, and says so to nobody here.
constexpr Duration look_again = std::chrono::seconds(5);
constexpr const char* every_room = "";  // a step that becomes one for each room
constexpr Duration step_deadline = std::chrono::seconds(30);
}  // namespace

ProfileJob::ProfileJob(plugin::Host& host, storage::Store& store, api::RoomServer& rooms)
    : host_(host), store_(store), rooms_(rooms), logger_(host.logger("client_api").part("profile_job")) {}

ProfileJob::~ProfileJob() { stop(); }

Result<void> ProfileJob::begin(const api::MemberProfile& profile, std::int64_t version) {
  const auto known = store_.read([&](storage::Session& session) {
    return session.find<std::int64_t>("SELECT version FROM profiles WHERE user_id = ?", {profile.user});
  });
  if (!known) return known.error();
  if (known->value_or(0) >= version) return {};
  const auto stored = store_.write([&](storage::Write& write) {
    // Two changes at the same time may come here in either order: the newer profile stays.
    const auto newer = write.execute(
        "INSERT INTO profiles (user_id, displayname, avatar_url, version) VALUES (?, ?, ?, ?) "
        "ON CONFLICT (user_id) DO UPDATE SET displayname = excluded.displayname, avatar_url = excluded.avatar_url, "
        "version = excluded.version WHERE profiles.version < excluded.version",
        {profile.user, profile.displayname, profile.avatar_url, version});
    if (newer == 0) return;
    write.execute(
        "INSERT INTO profile_steps (user_id, room_id) VALUES (?, ?) ON CONFLICT (user_id, room_id) DO NOTHING",
        {profile.user, every_room});
  });
  if (stored) wake();
  return stored;
}

log::Outcome ProfileJob::consume(storage::Write& write, const log::Record& record) {
  const auto event = from_json<api::RoomEventRecord>(record.payload);
  if (!event) return log::Outcome::park;
  if (event->kind == api::RoomEventKind::room_deleted) {
    write.execute("DELETE FROM memberships WHERE room_id = ?", {event->room_id});
    return log::Outcome::done;
  }
  if (event->kind == api::RoomEventKind::history) return log::Outcome::done;  // what was, not what is
  if (!event->membership || event->membership->before == event->membership->after) return log::Outcome::done;
  const api::MembershipChange& change = *event->membership;
  if (!matrix::is_on_server(change.user.view(), ServerName(host_.server_name()))) return log::Outcome::done;
  if (change.after != "join") {
    write.execute("DELETE FROM memberships WHERE user_id = ? AND room_id = ?", {change.user, event->room_id});
    return log::Outcome::done;
  }
  write.execute("INSERT INTO memberships (user_id, room_id) VALUES (?, ?) ON CONFLICT (user_id, room_id) DO NOTHING",
                {change.user, event->room_id});
  // The event may show a profile that was changed while it was on its way: a step that finds nothing to do is cheap.
  if (write.find<std::int64_t>("SELECT 1 FROM profiles WHERE user_id = ?", {change.user})) {
    write.execute(
        "INSERT INTO profile_steps (user_id, room_id) VALUES (?, ?) ON CONFLICT (user_id, room_id) DO NOTHING",
        {change.user, event->room_id});
    wake();
  }
  return log::Outcome::done;
}

void ProfileJob::wake() {
  const std::lock_guard lock(mutex_);
  work_ = true;
  changed_.notify_one();
}

void ProfileJob::start() {
  thread_ = std::thread([this] { run(); });
}

void ProfileJob::stop() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void ProfileJob::run() {
  for (;;) {
    bool woken = false;
    {
      std::unique_lock lock(mutex_);
      host_.clock().wait_until(changed_, lock, host_.clock().now() + look_again, [&] { return stopping_ || work_; });
      if (stopping_) return;
      woken = std::exchange(work_, false);
    }
    if (!store_.ownership().leads()) continue;
    // consume() wakes from inside its transaction. A piece of work that is queued after that is done when it is
    // committed.
    if (woken) (void)store_.write([](storage::Write&) {});
    while (!carry_out_all()) {
      std::unique_lock lock(mutex_);
      host_.clock().wait_until(changed_, lock, host_.clock().now() + pause_after_failure,
                               [&] { return stopping_.load(); });
      if (stopping_) return;
    }
  }
}

bool ProfileJob::carry_out_all() {
  bool all = true;
  UserId user;
  RoomId room;
  // Past a room that does not take it, so that it holds up no others.
  while (const auto step = next_step(user, room)) {
    if (!carry_out(*step)) all = false;
    if (stopping_) return true;
    user = step->profile.user;
    room = step->room;
  }
  return all;
}

std::optional<ProfileJob::Step> ProfileJob::next_step(const UserId& user, const RoomId& room) {
  auto row = store_.read([&](storage::Session& session) {
    return session.find<UserId, RoomId, std::optional<std::string>, std::optional<std::string>>(
        "SELECT s.user_id, s.room_id, p.displayname, p.avatar_url FROM profile_steps s JOIN profiles p "
        "ON p.user_id = s.user_id WHERE s.user_id > ? OR (s.user_id = ? AND s.room_id > ?) ORDER BY s.user_id, "
        "s.room_id LIMIT 1",
        {user, user, room});
  });
  if (!row || !*row) return std::nullopt;
  auto& [step_user, step_room, displayname, avatar] = **row;
  return Step{std::move(step_room), {std::move(step_user), std::move(displayname), std::move(avatar)}};
}

Result<void> ProfileJob::tell_room(const Step& step) {
  const api::CallContext context{.deadline = host_.clock().now() + step_deadline, .caller = "client_api"};
  // The memberships here are those of a moment ago: who has left since must not be joined again.
  BACKPLANE_TRY(member, rooms_.find_membership(context, {step.room, step.profile.user}));
  if (member.membership != "join") return {};
  api::ChangeMembershipRequest request;
  request.room_id = step.room;
  request.sender = step.profile.user;
  request.action = api::MembershipAction::join;
  request.target = step.profile;
  // Shared, for the answer may come after this has given up waiting.
  auto answered = std::make_shared<std::promise<Result<void>>>();
  auto answer = answered->get_future();
  rooms_.change_membership(context, request, [answered](Result<api::ChangeMembershipResponse> r) {
    answered->set_value(r ? Result<void>() : Result<void>(r.error()));
  });
  return answer.get();
}

// On the writer that also takes in log 4: a join is either among the memberships here, or finds the new profile there.
bool ProfileJob::expand(const UserId& user) {
  const auto expanded = store_.write([&](storage::Write& write) {
    write.execute(
        "INSERT INTO profile_steps (user_id, room_id) SELECT user_id, room_id FROM memberships WHERE user_id = ? "
        "ON CONFLICT (user_id, room_id) DO NOTHING",
        {user});
    write.execute("DELETE FROM profile_steps WHERE user_id = ? AND room_id = ?", {user, every_room});
  });
  return expanded.ok();
}

bool ProfileJob::carry_out(const Step& step) {
  if (step.room.empty()) return expand(step.profile.user);
  const Result<void> outcome = tell_room(step);
  const bool worth_repeating =
      !outcome && (outcome.error().code == ErrorCode::unavailable || outcome.error().code == ErrorCode::timeout ||
                   outcome.error().code == ErrorCode::internal);
  if (worth_repeating) {
    logger_.warning("a room did not take a profile", {{"error", outcome.error().text}});
    return false;
  }
  // Only while the profile is the one that was carried: a newer one has to go there too.
  const auto removed = store_.write([&](storage::Write& write) {
    write.execute(
        "DELETE FROM profile_steps WHERE user_id = ? AND room_id = ? AND EXISTS (SELECT 1 FROM profiles WHERE user_id "
        "= ? AND "
        "displayname IS NOT DISTINCT FROM ? AND avatar_url IS NOT DISTINCT FROM ?)",
        {step.profile.user, step.room, step.profile.user, step.profile.displayname, step.profile.avatar_url});
  });
  return removed.ok();
}

}  // namespace backplane::client_api
