#include "backplane/api/method.h"

namespace backplane::api {

MethodBase::MethodBase(Interface& owner, std::string_view name, MethodTraits traits, bool deferred, Codec request,
                       Codec response)
    : name_(name), traits_(traits), deferred_(deferred), request_(request), response_(response) {
  owner.methods_.push_back(this);
}

MethodBase::~MethodBase() = default;

void MethodBase::measure(Counter* calls, Counter* errors, Histogram* seconds, Clock* clock, std::string_view caller) {
  calls_ = calls;
  errors_ = errors;
  seconds_ = seconds;
  clock_ = clock;
  caller_ = caller;
}

void MethodBase::count(Instant started, bool ok) const {
  if (clock_ == nullptr) return;
  calls_->add();
  if (!ok) errors_->add();
  seconds_->observe(clock_->now() - started);
}

Error MethodBase::escaped(std::string_view method, const std::exception* exception) {
  std::string text = "an exception left the method " + std::string(method);
  if (exception != nullptr) text.append(": ").append(exception->what());
  return internal_error(std::move(text));
}

Interface::~Interface() = default;

MethodBase* Interface::find_method(std::string_view name) const {
  for (MethodBase* method : methods_) {
    if (method->name() == name) return method;
  }
  return nullptr;
}

std::string Interface::fingerprint() const {
  std::string text(id_);
  for (const MethodBase* method : methods_) {
    text.append("\n").append(method->name()).append(method->deferred() ? "~(" : "(");
    method->request_codec().describe(text);
    text.append(")->");
    method->response_codec().describe(text);
    const MethodTraits& traits = method->traits();
    text.append(traits.repeatable ? " repeatable" : "");
    if (traits.routing == Routing::key) text.append(" by ").append(traits.key_field);
  }
  return hex(as_text(sha256(text)).substr(0, 8));
}

}  // namespace backplane::api
