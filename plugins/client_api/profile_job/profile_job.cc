#include "profile_job/profile_job.h"

#include <future>
#include <memory>

namespace backplane::client_api {
namespace {
constexpr Duration pause_after_failure = std::chrono::seconds(5);
constexpr Duration step_deadline = std::chrono::seconds(30);
}  // namespace

ProfileJob::ProfileJob(plugin::Host& host, storage::Store& store, api::RoomServer& rooms)
    : host_(host), store_(store), rooms_(rooms), logger_(host.logger("client_api").part("profile_job")) {}

ProfileJob::~ProfileJob() { stop(); }

Result<void> ProfileJob::begin(const api::MemberProfile& profile) {
  const auto stored = store_.write([&](storage::Write& write) {
    write.execute(
        "INSERT INTO profiles (user_id, displayname, avatar_url) VALUES (?, ?, ?) "
        "ON CONFLICT (user_id) DO UPDATE SET displayname = excluded.displayname, avatar_url = excluded.avatar_url",
        {profile.user, profile.displayname, profile.avatar_url});
    write.execute(
        "INSERT INTO profile_steps (user_id, room_id) SELECT user_id, room_id FROM memberships WHERE user_id = ? "
        "ON CONFLICT (user_id, room_id) DO NOTHING",
        {profile.user});
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
    {
      std::unique_lock lock(mutex_);
      host_.clock().wait_until(changed_, lock, host_.clock().now() + std::chrono::minutes(1),
                               [&] { return stopping_ || work_; });
      if (stopping_) return;
      work_ = false;
    }
    // consume() wakes from inside its transaction. A piece of work that is queued after that is done when it is
    // committed.
    (void)store_.write([](storage::Write&) {});
    while (const auto step = next_step()) {
      const bool done = carry_out(*step);
      std::unique_lock lock(mutex_);
      if (!done)
        host_.clock().wait_until(changed_, lock, host_.clock().now() + pause_after_failure, [&] { return stopping_; });
      if (stopping_) return;
    }
  }
}

std::optional<ProfileJob::Step> ProfileJob::next_step() {
  auto row = store_.read([](storage::Session& session) {
    return session.find<UserId, RoomId, std::optional<std::string>, std::optional<std::string>>(
        "SELECT s.user_id, s.room_id, p.displayname, p.avatar_url FROM profile_steps s JOIN profiles p ON p.user_id = "
        "s.user_id LIMIT 1");
  });
  if (!row || !*row) return std::nullopt;
  auto& [user, room, displayname, avatar] = **row;
  return Step{std::move(room), {std::move(user), std::move(displayname), std::move(avatar)}};
}

bool ProfileJob::carry_out(const Step& step) {
  api::ChangeMembershipRequest request;
  request.room_id = step.room;
  request.sender = step.profile.user;
  request.action = api::MembershipAction::join;
  request.target = step.profile;
  const api::CallContext context{.deadline = host_.clock().now() + step_deadline, .caller = "client_api"};
  // Shared, for the answer may come after this has given up waiting.
  auto answered = std::make_shared<std::promise<Result<void>>>();
  auto answer = answered->get_future();
  rooms_.change_membership(context, request, [answered](Result<api::ChangeMembershipResponse> r) {
    answered->set_value(r ? Result<void>() : Result<void>(r.error()));
  });
  const Result<void> outcome = answer.get();
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
