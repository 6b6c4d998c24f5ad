// One request on its way to one answer. Handlers, responders parked anywhere and a server in drain all end in
// Exchange::complete, whose first call counts. It is shared by the responders only: when the last is gone without an
// answer, the exchange answers 500 itself. The connection knows it weakly, to tell it that the client has gone.
//
// Any thread. Callbacks run outside the lock.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include "backplane/http/routes.h"
#include "host/http/route_table.h"

namespace backplane::host {

struct ServerCore;

/// Where an answer goes: a connection, or a test's recorder.
class ResponseSink {
 public:
  virtual ~ResponseSink() = default;
  virtual void respond(http::Response response) = 0;
};

class Exchange final : public http::Responder::Channel {
 public:
  Exchange(std::shared_ptr<ServerCore> core, std::shared_ptr<ResponseSink> sink, const Route& route, RequestId id);
  ~Exchange() override;

  bool complete(http::Response response) override;
  bool completed() const override;
  void on_abandoned(std::function<void()> gone) override;

  /// The client has hung up.
  void abandon();
  /// Counts it as parked from now until its answer.
  void park();
  const RequestId& id() const { return id_; }

 private:
  void finish(ResponseSink& sink, http::Response response);

  const std::shared_ptr<ServerCore> core_;
  const Route& route_;
  const RequestId id_;
  const Instant started_;
  mutable std::mutex mutex_;
  std::shared_ptr<ResponseSink> sink_;  ///< empty once there is an answer
  std::vector<std::function<void()>> gone_;
  bool abandoned_ = false;
  bool parked_ = false;
};

}  // namespace backplane::host
