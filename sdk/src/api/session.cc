#include "backplane/api/session.h"

#include <algorithm>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

#include "backplane/log/log.h"

namespace backplane::api {

Session::~Session() = default;

namespace {
// A session with its strings, its place in the maps and its token.
constexpr std::size_t max_sessions = 20'000;
constexpr Duration follow_limit = std::chrono::seconds(2);

Error missing_token() { return denied("missing_token", "no access token was given"); }
}  // namespace

struct TokenAuthenticator::State {
  State(plugin::Host& h, UserApi& u) : host(h), user_api(u) {}

  plugin::Host& host;
  UserApi& user_api;
  log::Tail* sessions = nullptr;
  std::mutex mutex;
  std::unordered_map<std::string, std::shared_ptr<const Session>> by_token;
  std::unordered_map<UserId, std::unordered_set<std::string>> tokens_of;

  std::shared_ptr<const Session> find(const std::string& token) {
    const std::lock_guard lock(mutex);
    const auto it = by_token.find(token);
    return it == by_token.end() ? nullptr : it->second;
  }

  void keep(const std::string& token, const std::shared_ptr<const Session>& session) {
    const std::lock_guard lock(mutex);
    if (const auto old = by_token.find(token); old != by_token.end()) drop(old);
    if (by_token.size() >= max_sessions) drop(by_token.begin());
    by_token.emplace(token, session);
    tokens_of[session->user].insert(token);
  }

  void forget_token(const std::string& token) {
    const std::lock_guard lock(mutex);
    if (const auto it = by_token.find(token); it != by_token.end()) drop(it);
  }

  void drop(std::unordered_map<std::string, std::shared_ptr<const Session>>::iterator it) {
    if (const auto user = tokens_of.find(it->second->user); user != tokens_of.end()) {
      user->second.erase(it->first);
      if (user->second.empty()) tokens_of.erase(user);
    }
    by_token.erase(it);
  }

  void forget(const SessionsRecord& record) {
    const std::lock_guard lock(mutex);
    const auto user = tokens_of.find(record.user);
    if (user == tokens_of.end()) return;
    const auto tokens = user->second;  // drop() changes the set
    for (const std::string& token : tokens) {
      const auto it = by_token.find(token);
      if (it == by_token.end()) continue;
      const bool gone = record.all || std::find(record.devices.begin(), record.devices.end(), it->second->device) !=
                                          record.devices.end();
      if (gone) drop(it);
    }
  }

  void followed(const log::Batch& batch) {
    for (const log::RecordPtr& record : batch.records) {
      if (auto parsed = from_json<SessionsRecord>(record->payload)) forget(*parsed);
    }
  }
};

TokenAuthenticator::TokenAuthenticator(plugin::Host& host, plugin::Wiring& wiring, UserApi& user_api)
    : state_(std::make_shared<State>(host, user_api)) {
  state_->sessions = &wiring.log().tail({.topic = std::string(sessions_topic), .from = {}},
                                        [state = state_](const log::Batch& batch) { state->followed(batch); });
}

TokenAuthenticator::~TokenAuthenticator() = default;

Result<std::shared_ptr<const http::Identity>> TokenAuthenticator::authenticate(const http::Request& request,
                                                                               http::Authentication level) {
  using http::Authentication;
  if (level == Authentication::none) return std::shared_ptr<const http::Identity>();
  const std::string token = request.access_token();
  if (token.empty()) {
    if (level == Authentication::optional) return std::shared_ptr<const http::Identity>();
    return missing_token();
  }
  if (level == Authentication::appservice || level == Authentication::federation_signature) {
    return denied("unknown_token", "this endpoint is not for users");
  }
  // What is kept may only be used up to the last log-out that others may know of.
  const log::Positions head = state_->sessions->head();
  const bool current =
      state_->sessions->connected() && state_->sessions->wait_for(head, state_->host.clock().now() + follow_limit);
  std::shared_ptr<const Session> session = current ? state_->find(token) : nullptr;
  if (session != nullptr && session->expires_ms != 0 && session->expires_ms <= state_->host.clock().wall_ms())
    session = nullptr;
  if (session == nullptr) {
    auto verified = state_->user_api.verify_access_token(context_of(request), {AccessToken(token)});
    if (!verified) return std::move(verified).error();
    auto made = std::make_shared<Session>();
    made->rate_key = verified->user.str();
    made->user = std::move(verified->user);
    made->device = std::move(verified->device);
    made->guest = verified->guest;
    made->admin = verified->admin;
    made->expires_ms = verified->expires_ms.value_or(0);
    session = made;
    // A log-out since the look-up may have been followed before this was kept, and would never drop it. So keep it
    // first and look at the head then: what comes after that look finds it there.
    if (current) {
      state_->keep(token, session);
      if (state_->sessions->head() != head) state_->forget_token(token);
    }
  }
  if (session->guest && level == Authentication::required) {
    return denied("guest_access_forbidden", "guests may not use this endpoint");
  }
  return std::shared_ptr<const http::Identity>(session);
}

}  // namespace backplane::api
