// What method.h leaves out: how a Method is made of its types' descriptions, and called without knowing them. For the
// one file of each interface that defines its constructor and destructor.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "backplane/api/method.h"

namespace backplane::api {

namespace detail {
template <class T>
constexpr MethodBase::Codec codec() {
  return {[](std::string& out) { describe<T>(out); },
          [](json::View in, void* value) { return read_json(in, *static_cast<T*>(value)); },
          [](json::Writer& out, const void* value) { write_json(out, *static_cast<const T*>(value)); },
          []() -> std::shared_ptr<void> { return std::make_shared<T>(); }};
}
}  // namespace detail

template <class Request, class Response>
Method<Request, Response>::Method(Interface& owner, std::string_view name, MethodTraits traits)
    : MethodBase(owner, name, traits, false, detail::codec<Request>(), detail::codec<Response>()) {}

template <class Request, class Response>
void Method<Request, Response>::serve(const CallContext& context, const void* request, Finish finish) const {
  auto result = (*this)(context, *static_cast<const Request*>(request));
  if (!result) return finish(std::move(result).error());
  finish(std::shared_ptr<void>(std::make_shared<Response>(std::move(*result))));
}

template <class Request, class Response>
void Method<Request, Response>::bind_remote(Transfer transfer) {
  bind([this, transfer = std::move(transfer)](const CallContext& context, const Request& request) -> Result<Response> {
    std::optional<Result<Response>> answer;  // the transfer of a blocking method finishes before it returns
    transfer(*this, context, &request, [&](Result<std::shared_ptr<void>> r) {
      if (r) answer.emplace(std::move(*static_cast<Response*>(r->get())));
      else answer.emplace(std::move(r).error());
    });
    if (!answer) return internal_error("the remote call did not finish");
    return std::move(*answer);
  });
}

template <class Request, class Response>
DeferredMethod<Request, Response>::DeferredMethod(Interface& owner, std::string_view name, MethodTraits traits)
    : MethodBase(owner, name, traits, true, detail::codec<Request>(), detail::codec<Response>()) {}

template <class Request, class Response>
void DeferredMethod<Request, Response>::serve(const CallContext& context, const void* request, Finish finish) const {
  (*this)(context, *static_cast<const Request*>(request), [finish = std::move(finish)](Result<Response> result) {
    if (!result) return finish(std::move(result).error());
    finish(std::shared_ptr<void>(std::make_shared<Response>(std::move(*result))));
  });
}

template <class Request, class Response>
void DeferredMethod<Request, Response>::bind_remote(Transfer transfer) {
  bind([this, transfer = std::move(transfer)](const CallContext& context, const Request& request,
                                              Reply<Response> reply) {
    transfer(*this, context, &request, [reply](Result<std::shared_ptr<void>> r) {
      if (r) reply(std::move(*static_cast<Response*>(r->get())));
      else reply(std::move(r).error());
    });
  });
}

}  // namespace backplane::api
