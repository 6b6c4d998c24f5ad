#include "host/remote/remote_server.h"

#include <charconv>

#include "backplane/base/encoding.h"
#include "backplane/http/errors.h"
#include "host/remote/remote_call.h"

namespace backplane::host {
namespace {

constexpr std::size_t max_body = 64 * 1024 * 1024;
constexpr std::int64_t longest_ms = 10 * 60 * 1000;

http::Response failed(const Error& error) {
  return http::Response::json(error_to_json(error), http::standard_error(error.code, error.reason).status);
}

struct Calling : http::Identity {};

}  // namespace

Result<void> RemoteServer::add_route(HttpServer& http) {
  const http::RouteOptions options{http::Authentication::required, max_body, http::RateClass::none, std::chrono::milliseconds(longest_ms)};
  return http.add_parking_route("host", http::Surface::internal, http::Method::post, "/api/{interface}/{revision}/{method}", options, this,
                                [this](const http::Request& request, const http::Responder& responder) { handle(request, responder); });
}

Result<std::shared_ptr<const http::Identity>> RemoteServer::authenticate(const http::Request& request, http::Authentication) {
  if (!equal_secrets(request.access_token(), secret_)) return denied("unknown_token", "the shared secret is another");
  auto identity = std::make_shared<Calling>();
  identity->rate_limited = false;
  return std::shared_ptr<const http::Identity>(std::move(identity));
}

void RemoteServer::handle(const http::Request& request, const http::Responder& responder) const {
  const std::string id = std::string(request.parameter("interface")) + "/" + std::string(request.parameter("revision"));
  const auto interface = interfaces_.find(id);
  const api::MethodBase* method = interface == interfaces_.end() ? nullptr : interface->second->find_method(request.parameter("method"));
  if (method == nullptr) {
    responder.complete(failed(not_found("no_provider", "this host does not provide " + id + " or that method of it")));
    return;
  }
  if (const auto fingerprint = request.header(fingerprint_header); fingerprint != interface->second->fingerprint()) {
    responder.complete(failed(conflict("fingerprint", id + " is another interface at the caller (" + std::string(fingerprint) + ") than here (" +
                                                          interface->second->fingerprint() + "): install the same version on both hosts")));
    return;
  }
  const auto document = json::Document::parse(request.body);
  if (!document) return (void)responder.complete(failed(document.error()));
  const std::shared_ptr<void> value = method->request_codec().create();
  if (const auto read = method->request_codec().decode(document->root(), value.get()); !read) return (void)responder.complete(failed(read.error()));

  std::int64_t left_ms = longest_ms;
  const std::string_view text = request.header(deadline_header);
  std::from_chars(text.data(), text.data() + text.size(), left_ms);
  const std::string caller(request.header(caller_header));
  const api::CallContext context{.deadline = clock_.now() + std::chrono::milliseconds(std::min(left_ms, longest_ms)),
                                 .request_id = RequestId(std::string(request.header(request_id_header))),
                                 .caller = caller};
  method->serve(context, value.get(), [responder, method](Result<std::shared_ptr<void>> result) {
    if (!result) return (void)responder.complete(failed(result.error()));
    std::string body;
    json::Writer out(body);
    method->response_codec().encode(out, result->get());
    responder.complete(http::Response::json(std::move(body)));
  });
}

}  // namespace backplane::host
