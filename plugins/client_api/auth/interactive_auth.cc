#include "auth/interactive_auth.h"

#include <algorithm>

#include "backplane/http/errors.h"

namespace backplane::client_api {
namespace {
constexpr Duration lifetime = std::chrono::minutes(15);
constexpr std::size_t max_sessions = 20'000;

/// Says nothing about the stage: the client is to come again with the same, not to be asked again.
bool is_passing(const Error& error) {
  return error.code == ErrorCode::unavailable || error.code == ErrorCode::timeout || error.code == ErrorCode::internal;
}
}  // namespace

Result<std::string> dummy_stage(json::View) { return std::string(); }

std::string InteractiveAuth::begin(const std::string& subject) {
  const Instant now = clock_.now();
  const std::lock_guard lock(mutex_);
  if (sessions_.size() >= max_sessions) {
    std::erase_if(sessions_, [&](const auto& entry) { return entry.second.expires <= now; });
    if (sessions_.size() >= max_sessions) sessions_.erase(sessions_.begin());
  }
  std::string id = random_.text(24);
  sessions_[id] = {subject, now + lifetime, {}};
  return id;
}

bool InteractiveAuth::find(const std::string& id, const std::string& subject, Session& session) {
  const std::lock_guard lock(mutex_);
  const auto it = sessions_.find(id);
  if (it == sessions_.end() || it->second.subject != subject || it->second.expires <= clock_.now()) return false;
  session = it->second;
  return true;
}

http::Response InteractiveAuth::refusal(const std::string& id, const Session& session, const std::vector<Flow>& flows,
                                        const Error* error) const {
  http::Response response;
  response.status = 401;
  json::Writer out(response.body);
  out.begin_object().key("flows").begin_array();
  for (const Flow& flow : flows) {
    out.begin_object().key("stages").begin_array();
    for (const std::string& stage : flow) out.string(stage);
    out.end_array().end_object();
  }
  out.end_array().key("params").begin_object().end_object().member("session", id);
  out.key("completed").begin_array();
  for (const auto& [stage, left] : session.done) out.string(stage);
  out.end_array();
  if (error != nullptr) {
    out.member("errcode", http::standard_error(error->code, error->reason).errcode).member("error", error->text);
  }
  out.end_object();
  return response;
}

AuthOutcome InteractiveAuth::check(json::View body, const std::vector<Flow>& flows, const Stages& stages,
                                   const std::string& subject) {
  const auto auth = body.find("auth");
  const bool answers = auth && auth->is_object();
  std::string id(answers ? auth->find_string("session").value_or("") : "");
  Session session;
  if (!find(id, subject, session)) id = begin(subject);
  if (!answers) return {false, refusal(id, session, flows, nullptr), {}};

  std::string stage_done, left;
  if (const auto type = auth->find_string("type")) {
    const auto stage = stages.find(*type);
    if (stage == stages.end()) {
      const Error unknown = invalid("unknown_stage", "there is no stage " + std::string(*type));
      return {false, refusal(id, session, flows, &unknown), {}};
    }
    auto tried = stage->second(*auth);
    if (!tried && is_passing(tried.error())) return {false, http::Response::error(tried.error()), {}};
    if (!tried) return {false, refusal(id, session, flows, &tried.error()), {}};
    stage_done = stage->first;
    left = std::move(*tried);
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto it = sessions_.find(id); it != sessions_.end()) {
      if (!stage_done.empty()) it->second.done[stage_done] = std::move(left);
      session = it->second;
      const bool done = std::any_of(flows.begin(), flows.end(), [&](const Flow& flow) {
        return std::all_of(flow.begin(), flow.end(),
                           [&](const std::string& stage) { return session.done.contains(stage); });
      });
      if (!done) return {false, refusal(id, session, flows, nullptr), {}};
      sessions_.erase(it);  // what it allows, it allows once: whoever comes with it at the same time begins again
      return {true, {}, std::move(session.done)};
    }
  }
  return {false, refusal(begin(subject), {}, flows, nullptr), {}};
}

}  // namespace backplane::client_api
