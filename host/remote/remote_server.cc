#include "host/remote/remote_server.h"

#include <algorithm>
#include <charconv>
#include <stop_token>
#include <utility>

#include "backplane/base/encoding.h"
#include "backplane/http/errors.h"
#include "backplane/log/position.h"
#include "host/remote/remote_call.h"

namespace backplane::host {
namespace {

constexpr std::size_t max_body = 64 * 1024 * 1024;
constexpr std::int64_t longest_ms = 10 * 60 * 1000;

http::Response failed(const Error& error) {
  return http::Response::json(error_to_json(error), http::standard_error(error.code, error.reason).status);
}

struct Calling : http::Identity {};

std::int64_t number_of(const http::Request& request, std::string_view header, std::int64_t otherwise) {
  const std::string_view text = request.header(header);
  (void)std::from_chars(text.data(), text.data() + text.size(), otherwise);
  return otherwise;
}

int depth_of(const http::Request& request) { return static_cast<int>(number_of(request, depth_header, 0)); }

}  // namespace

RemoteServer::RemoteServer(std::string shared_secret, std::size_t max_threads, Clock& clock, Logger logger)
    : secret_(std::move(shared_secret)), clock_(clock) {
  for (std::size_t i = 0; i < deeper_.size(); ++i)
    deeper_[i] = std::make_unique<WorkerPool>(
        WorkerPoolOptions{.name = "internal-" + std::to_string(i + 1), .max_threads = max_threads}, clock,
        logger.part("calls"));
}

RemoteServer::~RemoteServer() = default;

void RemoteServer::serve(const api::Interface& interface, const storage::Store* store) {
  interfaces_[std::string(interface.id())] = {&interface, store, interface.fingerprint()};
}

Result<void> RemoteServer::add_route(HttpServer& http) {
  const http::RouteOptions options{http::Authentication::required, max_body, http::RateClass::none,
                                   std::chrono::milliseconds(longest_ms)};
  return http.add_parking_route(
      "host", http::Surface::internal, http::Method::post, "/api/{interface}/{revision}/{method}", options, this,
      [this](const http::Request& request, const http::Responder& responder) { handle(request, responder); },
      [this](const http::Request& request) { return pool_of(request); });
}

void RemoteServer::stop() {
  for (const auto& pool : deeper_) pool->stop();
}

Executor* RemoteServer::pool_of(const http::Request& request) const {
  const int depth = depth_of(request);
  if (depth <= 0) return nullptr;
  return deeper_[static_cast<std::size_t>(std::min(depth, max_depth)) - 1].get();
}

Result<std::shared_ptr<const http::Identity>> RemoteServer::authenticate(const http::Request& request,
                                                                         http::Authentication) {
  if (!equal_secrets(request.access_token(), secret_)) return denied("unknown_token", "the shared secret is another");
  auto identity = std::make_shared<Calling>();
  identity->rate_limited = false;
  return std::shared_ptr<const http::Identity>(std::move(identity));
}

Result<void> RemoteServer::check_owner(const Served& served, const api::MethodBase& method, json::View request) const {
  if (served.store == nullptr || method.traits().routing != api::Routing::key) return {};
  const auto key = key_of(request, method.traits().key_field);
  if (!key) return {};
  const std::uint16_t shard = log::lane_of(*key);
  const storage::Ownership& ownership = served.store->ownership();
  if (ownership.owns(shard)) return {};
  return not_owner(ownership.owner(shard));
}

void RemoteServer::handle(const http::Request& request, const http::Responder& responder) const {
  const auto refuse = [&](const Error& error) { (void)responder.complete(failed(error)); };
  const std::string id = std::string(request.parameter("interface")) + "/" + std::string(request.parameter("revision"));
  const auto served = interfaces_.find(id);
  const api::MethodBase* method =
      served == interfaces_.end() ? nullptr : served->second.interface->find_method(request.parameter("method"));
  // Faults of the set-up are never an answer that a caller might take for the method's own.
  if (method == nullptr)
    return refuse(unavailable("no_provider", "this host does not provide " + id + " or that method of it"));
  if (const auto fingerprint = request.header(fingerprint_header); fingerprint != served->second.fingerprint) {
    return refuse({ErrorCode::internal, "fingerprint",
                   id + " is another interface at the caller (" + std::string(fingerprint) + ") than here (" +
                       served->second.fingerprint + "): install the same version on both hosts"});
  }
  const int depth = depth_of(request);
  if (depth > max_depth)
    return refuse({ErrorCode::internal, "too_deep",
                   "hosts call each other in a circle: " + id + " at depth " + std::to_string(depth)});
  const auto document = json::Document::parse(request.body);
  if (!document) return refuse(document.error());
  if (const auto owned = check_owner(served->second, *method, document->root()); !owned) return refuse(owned.error());
  const std::shared_ptr<void> value = method->request_codec().create();
  if (const auto read = method->request_codec().decode(document->root(), value.get()); !read)
    return refuse(read.error());

  const std::int64_t left_ms = std::min(number_of(request, deadline_header, longest_ms), longest_ms);
  const std::string caller(request.header(caller_header));
  const std::stop_source stop;
  responder.on_abandoned([stop]() mutable { stop.request_stop(); });
  const api::CallContext context{.deadline = clock_.now() + std::chrono::milliseconds(left_ms),
                                 .stop = stop.get_token(),
                                 .request_id = RequestId(std::string(request.header(request_id_header))),
                                 .caller = caller};
  const ServingDepth deeper(depth);
  method->serve(context, value.get(), [responder, method](Result<std::shared_ptr<void>> result) {
    if (!result) return (void)responder.complete(failed(result.error()));
    std::string body;
    json::Writer out(body);
    method->response_codec().encode(out, result->get());
    (void)responder.complete(http::Response::json(std::move(body)));
  });
}

}  // namespace backplane::host
