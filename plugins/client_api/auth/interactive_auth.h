// User-interactive authentication (Client-Server API, "User-Interactive Authentication API"): a request that needs
// more than a token is answered 401 with what may be done, and repeated with each stage done. Sessions live in memory
// for a while; a client whose session is gone begins again. Any thread.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/json.h"
#include "backplane/base/random.h"
#include "backplane/http/message.h"

namespace backplane::client_api {

using Flow = std::vector<std::string>;  // stages, in order

struct AuthOutcome {
  bool done = false;
  http::Response refusal;  ///< when not done: what to answer
  std::map<std::string, std::string>
      answers;  ///< when done: what stages left (`m.login.registration_token` → the token)
};

class InteractiveAuth {
 public:
  /// Tries a stage; what it leaves for the request, or why it failed.
  using Stage = std::function<Result<std::string>(json::View auth)>;
  using Stages = std::map<std::string, Stage, std::less<>>;

  InteractiveAuth(Clock& clock, Random& random) : clock_(clock), random_(random) {}
  /// `body` is the request's, with its member `auth`. `subject` ties a session to what it was begun for.
  AuthOutcome check(json::View body, const std::vector<Flow>& flows, const Stages& stages, const std::string& subject);

 private:
  struct Session {
    std::string subject;
    Instant expires{};
    std::map<std::string, std::string> done;
  };
  std::string begin(const std::string& subject);
  /// Whether there is such a session for the subject.
  bool find(const std::string& id, const std::string& subject, Session& session);
  http::Response refusal(const std::string& id, const Session& session, const std::vector<Flow>& flows,
                         const Error* error) const;

  Clock& clock_;
  Random& random_;
  std::mutex mutex_;
  std::map<std::string, Session, std::less<>> sessions_;
};

/// The stage m.login.dummy.
Result<std::string> dummy_stage(json::View auth);

}  // namespace backplane::client_api
