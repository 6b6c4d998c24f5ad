// Asks other hosts how far their logs have come, on behalf of the tails here. At most one call to each host is in
// flight, for all topics that it publishes: who asks meanwhile waits for the next one, since an answer says nothing of
// what was written after its call began.
//
// Any thread; no call may be made any more when it goes.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/log_heads.h"
#include "backplane/base/clock.h"
#include "backplane/base/result.h"
#include "backplane/log/runtime.h"
#include "host/remote/call_router.h"

namespace backplane::host {

class HeadAsker {
 public:
  /// `own` answers for this process.
  using OwnHeads = std::function<std::vector<log::OwnHead>(const std::vector<std::string>& topics)>;
  HeadAsker(OwnHeads own, Clock& clock);
  ~HeadAsker();
  HeadAsker(const HeadAsker&) = delete;
  HeadAsker& operator=(const HeadAsker&) = delete;

  /// Before the first question: `host` publishes these topics (perhaps among others that publish them). `router` leads
  /// to that host alone.
  void add_host(const std::string& host, std::vector<std::string> topics, CallRouter& router);
  /// What the topic has come to on all hosts that publish it. Errors: unavailable, when one of them does not answer;
  /// timeout.
  Result<log::Positions> ask(std::string_view topic, Instant until);

 private:
  struct Round;
  struct Peer;
  std::shared_ptr<Round> join(const std::shared_ptr<Peer>& peer);
  void begin(const std::shared_ptr<Peer>& peer);
  void end(const std::shared_ptr<Peer>& peer, Result<api::ListHeadsResponse> answer);

  const OwnHeads own_;
  Clock& clock_;
  std::map<std::string, std::vector<std::shared_ptr<Peer>>, std::less<>> peers_;  ///< by topic
  std::mutex mutex_;
  std::condition_variable ended_;
};

}  // namespace backplane::host
