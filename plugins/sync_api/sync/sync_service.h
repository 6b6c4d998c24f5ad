// GET /sync from request to answer: reads the parameters, answers at once or parks the poll, wakes it when something
// comes or its time is over. A parked poll is a responder, a token and a timer; no thread waits for it.
//
// A woken poll is looked at on the CPU executor, where nothing may wait; if it turns out to need the index or bodies,
// it moves to a worker thread (a timer that is due).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backplane/api/session.h"
#include "backplane/base/cache.h"
#include "backplane/base/gate.h"
#include "backplane/plugin/plugin.h"
#include "sync/assembler.h"
#include "tail/parked_sync.h"

namespace backplane::sync_api {

struct SyncOptions {
  Duration max_timeout = std::chrono::minutes(10);
  Duration follow_wait = std::chrono::seconds(5);
};

/// Filters by id or by text, parsed once. Any thread.
class Filters {
 public:
  explicit Filters(storage::Store& store) : store_(store), parsed_(4 * 1024 * 1024) {}
  /// `text`: an id, or JSON when it begins with a brace; empty: no filter. Errors: invalid/invalid_param for an
  /// unknown id, invalid/bad_json.
  Result<FilterPtr> get(const UserId& user, std::string_view text);

 private:
  storage::Store& store_;
  BoundedCache<std::string, Filter> parsed_;
};

class SyncService {
 public:
  SyncService(plugin::Host& host, ReadModel& model, Assembler& assembler, storage::Store& store, Logger logger,
              SyncOptions options);

  void handle(const http::Request& request, http::Responder responder);
  /// Polls that something has come for. From the tails' threads: quick.
  void wake(std::vector<ParkedPtr> polls);
  /// Answers everything parked with what it has: nothing. Parks no more.
  void drain();

  Filters& filters() { return filters_; }

 private:
  struct Poll;
  /// From the drain on.
  void refuse(const http::Request& request, const http::Responder& responder);
  Result<Poll> read(const http::Request& request);
  Result<void> start(const http::Request& request, const http::Responder& responder);
  void park(const ParkedPtr& poll, Duration timeout);
  /// Looks what there is: answers, or parks again.
  void look(const ParkedPtr& poll, bool may_block);
  void look_where_waiting_is_allowed(const ParkedPtr& poll);
  void expire(const ParkedPtr& poll);
  void answer(const ParkedPtr& poll, std::string body);
  void answer_error(const ParkedPtr& poll, const Error& error);
  void adopt(SyncToken& since);

  plugin::Host& host_;
  ReadModel& model_;
  Assembler& assembler_;
  Logger log_;
  const SyncOptions options_;
  Filters filters_;
  Gate gate_;
};

}  // namespace backplane::sync_api
