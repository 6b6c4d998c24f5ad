#include "host/remote/remote_client.h"

#include <Poco/Net/HTTPClientSession.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/StreamCopier.h>
#include <Poco/Timespan.h>
#include <Poco/URI.h>

#include <mutex>
#include <vector>

#include "host/remote/remote_call.h"

namespace backplane::host {
namespace {

using Poco::Net::HTTPClientSession;
using Poco::Net::HTTPRequest;

constexpr std::size_t max_idle_connections = 64;
constexpr Duration default_patience = std::chrono::seconds(30);

Error unreachable(const std::string& url, const std::string& why) { return unavailable("host_unreachable", "the host at " + url + " cannot be reached: " + why); }

}  // namespace

struct RemoteClient::Pool {
  Pool(std::string u, std::string s, Clock& c, Executor& e) : url(u), uri(std::move(u)), secret(std::move(s)), clock(c), deferred(e) {}

  const std::string url;
  const Poco::URI uri;
  const std::string secret;
  Clock& clock;
  Executor& deferred;
  std::mutex mutex;
  std::vector<std::unique_ptr<HTTPClientSession>> idle;

  /// nullptr when every connection is in use.
  std::unique_ptr<HTTPClientSession> take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return nullptr;
    auto session = std::move(idle.back());
    idle.pop_back();
    return session;
  }
  std::unique_ptr<HTTPClientSession> open() const {
    auto session = std::make_unique<HTTPClientSession>(uri.getHost(), uri.getPort());
    session->setKeepAlive(true);
    return session;
  }
  void give_back(std::unique_ptr<HTTPClientSession> session) {
    const std::lock_guard lock(mutex);
    if (idle.size() < max_idle_connections) idle.push_back(std::move(session));
  }

  struct Answer {
    int status = 0;
    std::string body;
  };
  /// Throws Poco::Exception.
  Answer exchange(HTTPClientSession& session, HTTPRequest& request, const std::string& body, Duration patience) const {
    session.setTimeout(Poco::Timespan(std::chrono::duration_cast<std::chrono::microseconds>(patience).count()));
    session.sendRequest(request) << body;
    Poco::Net::HTTPResponse response;
    Answer answer;
    Poco::StreamCopier::copyToString(session.receiveResponse(response), answer.body);
    answer.status = response.getStatus();
    return answer;
  }

  Result<std::shared_ptr<void>> call(const api::MethodBase& method, const std::string& path, const std::string& fingerprint,
                                     const api::CallContext& context, const void* value) {
    const Duration patience = context.deadline == Instant{} ? default_patience : context.deadline - clock.now();
    if (patience <= Duration::zero()) return timed_out("the deadline passed before the call of " + std::string(method.name()));
    std::string body;
    json::Writer out(body);
    method.request_codec().encode(out, value);
    HTTPRequest request(HTTPRequest::HTTP_POST, path, HTTPRequest::HTTP_1_1);
    request.setContentType("application/json");
    request.setContentLength(static_cast<std::streamsize>(body.size()));
    request.set("Host", uri.getAuthority());
    request.set("Authorization", "Bearer " + secret);
    request.set(fingerprint_header, fingerprint);
    request.set(deadline_header, std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(patience).count()));
    request.set(request_id_header, context.request_id.str());
    request.set(caller_header, std::string(context.caller));

    // A kept connection may have been closed by the other side meanwhile. Only what may be repeated is sent again.
    auto session = take();
    const bool kept = session != nullptr;
    if (!kept) session = open();
    try {
      auto answer = attempt(std::move(session), request, body, patience, kept && method.traits().repeatable);
      return read(method, answer);
    } catch (const Poco::Exception& e) {
      if (context.deadline != Instant{} && clock.now() >= context.deadline) return timed_out("the deadline passed in the call of " + std::string(method.name()));
      return unreachable(url, e.displayText());
    }
  }

  Answer attempt(std::unique_ptr<HTTPClientSession> session, HTTPRequest& request, const std::string& body, Duration patience, bool again) {
    try {
      Answer answer = exchange(*session, request, body, patience);
      give_back(std::move(session));
      return answer;
    } catch (const Poco::Exception&) {
      if (!again) throw;
    }
    return attempt(open(), request, body, patience, false);
  }

  static Result<std::shared_ptr<void>> read(const api::MethodBase& method, const Answer& answer) {
    if (answer.status != 200) return error_from_json(answer.body);
    const auto document = json::Document::parse(answer.body);
    if (!document) return internal_error("the other host answered what is no JSON");
    std::shared_ptr<void> value = method.response_codec().create();
    BACKPLANE_CHECK(method.response_codec().decode(document->root(), value.get()));
    return value;
  }
};

RemoteClient::RemoteClient(std::string url, std::string shared_secret, Clock& clock, Executor& deferred)
    : pool_(std::make_shared<Pool>(std::move(url), std::move(shared_secret), clock, deferred)) {}

RemoteClient::~RemoteClient() = default;

void RemoteClient::bind(api::Interface& interface) {
  const std::string fingerprint = interface.fingerprint();
  for (api::MethodBase* method : interface.methods()) {
    const std::string path = remote_path(interface.id(), method->name());
    method->bind_remote([pool = pool_, path, fingerprint](const api::MethodBase& called, const api::CallContext& context, const void* request,
                                                           api::MethodBase::Finish finish) {
      if (!called.deferred()) return finish(pool->call(called, path, fingerprint, context, request));
      // The request does not outlive this call: it travels as a copy, through its own JSON form.
      std::string copy;
      json::Writer out(copy);
      called.request_codec().encode(out, request);
      auto work = [pool, path, fingerprint, &called, deadline = context.deadline, id = context.request_id, caller = std::string(context.caller),
                   copy = std::move(copy), finish] {
        const std::shared_ptr<void> value = called.request_codec().create();
        if (const auto document = json::Document::parse(copy)) (void)called.request_codec().decode(document->root(), value.get());
        finish(pool->call(called, path, fingerprint, {.deadline = deadline, .stop = {}, .request_id = id, .caller = caller}, value.get()));
      };
      if (!pool->deferred.submit(std::move(work))) finish(unavailable("busy", "too many calls wait for other hosts"));
    });
  }
}

}  // namespace backplane::host
