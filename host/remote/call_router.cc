#include "host/remote/call_router.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <utility>

#include "host/remote/remote_call.h"

namespace backplane::host {
namespace {

using api::MethodBase;
using Value = std::shared_ptr<void>;
using Found = CallCourse::Found;

/// A host may stand still while its machine goes on to take connections for it: what may be repeated is not left with
/// it for the whole of its deadline where another may own the shard by now.
constexpr Duration silence_patience = std::chrono::seconds(4);
constexpr Duration default_patience = std::chrono::seconds(30);
/// How long a host may be away for others to wait for it: longer than a restart takes. Of one that is away for longer,
/// callers are told at once, or soon all threads would wait.
constexpr Duration restart_patience = std::chrono::seconds(8);
/// How long who said nothing is not asked first.
constexpr Duration silence_avoided = std::chrono::seconds(10);
/// How long a shard that moves is looked for; longer than a successor needs to take over.
constexpr Duration search_patience = std::chrono::seconds(15);

/// A field of a header, without what would end its line.
void append_header(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  for (const char c : value)
    if (static_cast<unsigned char>(c) >= ' ' && c != '\x7f') out += c;
  out.append("\r\n");
}

Error no_owner(std::string_view method) {
  return unavailable("no_owner", "no host owns what " + std::string(method) + " is about at present");
}

std::size_t start_of(std::string_view this_host, const std::vector<CallRouter::Provider>& providers) {
  for (std::size_t i = 0; i < providers.size(); ++i)
    if (providers[i].remote == nullptr) return i;
  return std::hash<std::string_view>()(this_host) % providers.size();  // not all hosts the same one
}

}  // namespace

/// A method of a consumer's instance.
struct CallRouter::Bound {
  const MethodBase* method;
  const MethodBase* local;  ///< nullptr: not in this process
  std::string path;
  std::string headers;
  Counter *ok, *failed, *unreachable, *redirects;

  void count(const Result<Value>& result) const {
    if (result.ok()) ok->add();
    else if (const std::string& why = result.error().reason; why == "host_unreachable" || why == "no_owner")
      unreachable->add();
    else failed->add();
  }
};

/// What an attempt came to: an answer, or (with `found`) a reason to ask another provider; `result` has the error then.
struct CallRouter::Outcome {
  Result<Value> result;
  std::optional<Found> found{};
  std::optional<std::size_t> owner{};
  bool heard = true;  ///< false: the provider said nothing, so it is no better for the next call either
};

/// A deferred call on its way, with copies of what its caller had.
struct CallRouter::Later {
  std::shared_ptr<Bound> bound;
  api::CallContext context;
  std::string caller;
  std::string headers;
  std::string body;
  std::optional<std::uint16_t> shard;
  CallCourse course;
  MethodBase::Finish finish;
};

CallRouter::CallRouter(std::string plugin, std::string_view this_host, std::vector<Provider> providers, Parts parts)
    : plugin_(std::move(plugin)),
      providers_(std::move(providers)),
      parts_(parts),
      preferred_(start_of(this_host, providers_)) {
  for (std::size_t shard = 0; shard < owners_.size(); ++shard) owners_[shard] = shard % providers_.size();
}

CallRouter::~CallRouter() = default;

void CallRouter::set_local(const api::Interface& provider, const storage::Store* store) {
  local_ = &provider;
  store_ = store;
}

void CallRouter::bind(api::Interface& consumer) {
  const std::string fingerprint = consumer.fingerprint();
  for (std::size_t i = 0; i < consumer.methods().size(); ++i) {
    MethodBase* method = consumer.methods()[i];
    const MethodBase* local = local_ == nullptr ? nullptr : local_->methods()[i];
    if (local != nullptr && method->traits().routing == api::Routing::any) {
      method->connect(*local);
      continue;
    }
    const auto counter = [&](const char* outcome) {
      return &parts_.metrics.counter(
          "calls_total", "Internal calls that went through a router, by what became of them.",
          {{"interface", std::string(consumer.id())}, {"method", std::string(method->name())}, {"outcome", outcome}});
    };
    const auto bound = std::make_shared<Bound>();
    *bound = {method,
              local,
              remote_path(consumer.id(), method->name()),
              {},
              counter("ok"),
              counter("error"),
              counter("unreachable"),
              &parts_.metrics.counter("redirects_total", "Answers of hosts that did not own the shard of a call.",
                                      {{"interface", std::string(consumer.id())}})};
    append_header(bound->headers, fingerprint_header, fingerprint);
    method->bind_remote([this, bound](const MethodBase&, const api::CallContext& context, const void* request,
                                      MethodBase::Finish finish) {
      if (bound->method->deferred()) call_later(bound, context, request, std::move(finish));
      else call(bound, context, request, finish);
    });
  }
}

std::optional<std::uint16_t> CallRouter::shard_of(const MethodBase& method, std::string_view body) const {
  if (method.traits().routing != api::Routing::key) return std::nullopt;
  const auto key = key_of(body, method.traits().key_field);
  return key ? std::optional(log::lane_of(*key)) : std::nullopt;
}

std::optional<std::size_t> CallRouter::find_host(std::string_view name) const {
  const auto found = std::ranges::find(providers_, name, &Provider::host);
  if (name.empty() || found == providers_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - providers_.begin());
}

/// What may be asked twice stays with one host, whose memory has it then. What may not makes something, which is to be
/// spread: whoever makes a room gives it an id of a shard of its own.
std::size_t CallRouter::first_of(const Bound& bound, std::optional<std::uint16_t> shard) {
  if (shard) return owners_[*shard].load();
  return bound.method->traits().repeatable ? preferred_.load() : next_in_turn();
}

std::size_t CallRouter::next_in_turn() {
  const Instant now = parts_.clock.now();
  const std::size_t turn = turn_++;
  for (std::size_t step = 0; step < providers_.size(); ++step) {
    const std::size_t candidate = (turn + step) % providers_.size();
    if (avoided_until_[candidate].load() <= now) return candidate;
  }
  return turn % providers_.size();
}

void CallRouter::note(std::size_t provider, const Outcome& outcome) {
  const Instant now = parts_.clock.now();
  if (outcome.found == Found::unreachable) {
    Instant here{};
    gone_since_[provider].compare_exchange_strong(here, now);
    return;
  }
  gone_since_[provider].store({});
  avoided_until_[provider].store(outcome.heard ? Instant{} : now + silence_avoided);
}

Instant CallRouter::back_by() const {
  if (parts_.patient == nullptr || !parts_.patient->load()) return {};
  Instant last{};
  for (std::size_t i = 0; i < providers_.size(); ++i) last = std::max(last, gone_since_[i].load());
  return last + restart_patience;
}

/// Set when the provider here must not answer.
std::optional<CallRouter::Outcome> CallRouter::refused_here(std::optional<std::uint16_t> shard) const {
  if (!shard || store_ == nullptr) return std::nullopt;
  const storage::Ownership& ownership = store_->ownership();
  if (ownership.owns(*shard)) return std::nullopt;
  const std::string owner = ownership.owner(*shard);
  return Outcome{not_owner(owner), Found::not_owner, find_host(owner)};
}

CallRouter::Outcome CallRouter::outcome_of(const Bound& bound, const RemoteHost& host, Attempt attempt) const {
  switch (attempt.fate) {
    case Attempt::Fate::answered: break;
    case Attempt::Fate::not_begun:
      return {unavailable("host_unreachable",
                          "host " + host.name() + " at " + host.url() + " cannot be reached: " + attempt.text),
              Found::unreachable};
    case Attempt::Fate::lost: {
      Outcome lost{unavailable("call_lost", "host " + host.name() + " was lost in the call of " +
                                                std::string(bound.method->name()) + ": " + attempt.text)};
      if (bound.method->traits().repeatable) lost.found = Found::lost;
      lost.heard = false;
      return lost;
    }
    case Attempt::Fate::too_late: {
      Outcome late{timed_out("the deadline passed in the call of " + std::string(bound.method->name()))};
      if (leaves_early(*bound.method)) late.found = Found::lost;
      late.heard = false;
      return late;
    }
    case Attempt::Fate::cancelled: return {unavailable("cancelled", attempt.text), {}, {}, false};
  }
  if (attempt.status != 200) {
    Error error = error_from_answer(attempt.status, attempt.text, host.name());
    if (!is_not_owner(error)) return {std::move(error)};
    const auto owner = find_host(owner_of(error));
    return {std::move(error), Found::not_owner, owner};
  }
  const auto document = json::Document::parse(attempt.text);
  if (!document) return {internal_error("host " + host.name() + " answered what is no JSON")};
  Value value = bound.method->response_codec().create();
  if (const auto read = bound.method->response_codec().decode(document->root(), value.get()); !read)
    return {internal_error("host " + host.name() + " answered what cannot be read: " + read.error().text)};
  return {std::move(value)};
}

RemoteRequest CallRouter::request_to(const Bound& bound, const api::CallContext& context, std::string body,
                                     Instant deadline) const {
  RemoteRequest request{bound.path,  bound.headers, std::move(body), deadline, bound.method->traits().repeatable,
                        context.stop};
  append_header(request.headers, request_id_header, context.request_id.view());
  append_header(request.headers, caller_header, context.caller);
  append_header(request.headers, depth_header, std::to_string(ServingDepth::of_calls()));
  return request;
}

bool CallRouter::leaves_early(const MethodBase& method) const {
  return method.traits().repeatable && method.traits().routing == api::Routing::key && !method.deferred() &&
         providers_.size() > 1;
}

bool CallRouter::pause(Duration time, const std::stop_token& stop) const {
  std::mutex mutex;
  std::condition_variable wake;
  const std::stop_callback on_stop(stop, [&] {
    const std::lock_guard lock(mutex);
    wake.notify_all();
  });
  std::unique_lock lock(mutex);
  return !parts_.clock.wait_until(wake, lock, parts_.clock.now() + time, [&] { return stop.stop_requested(); });
}

void CallRouter::call(const std::shared_ptr<Bound>& bound, const api::CallContext& context, const void* request,
                      const MethodBase::Finish& finish) {
  const Instant now = parts_.clock.now();
  const Instant deadline = context.deadline == Instant{} ? now + default_patience : context.deadline;
  const auto finished = [&](Result<Value> result) {
    bound->count(result);
    finish(std::move(result));
  };
  if (now >= deadline)
    return finished(timed_out("the deadline passed before the call of " + std::string(bound->method->name())));
  std::string body;
  json::Writer out(body);
  bound->method->request_codec().encode(out, request);
  const auto shard = shard_of(*bound->method, body);
  RemoteRequest message = request_to(*bound, context, std::move(body), deadline);
  CallCourse course(providers_.size(), first_of(*bound, shard), shard.has_value(),
                    shard ? std::min(deadline, now + search_patience) : deadline);
  for (;;) {
    Outcome outcome{internal_error("the call did not finish")};
    const std::size_t target = course.target();
    if (RemoteHost* remote = providers_[target].remote; remote != nullptr) {
      if (leaves_early(*bound->method)) message.deadline = std::min(deadline, parts_.clock.now() + silence_patience);
      outcome = outcome_of(*bound, *remote, remote->call(message));
    } else if (auto refused = refused_here(shard)) {
      outcome = std::move(*refused);
    } else {
      bound->local->serve(context, request, [&](Result<Value> result) { outcome = outcome_here(std::move(result)); });
    }
    const auto step = next(*bound, course, shard, outcome);
    if (!step.again) return finished(std::move(outcome.result));
    if (step.pause > Duration::zero() && !pause(step.pause, context.stop))
      return finished(unavailable("cancelled", "nobody waits for the answer any more"));
  }
}

CallRouter::Outcome CallRouter::outcome_here(Result<Value> result) const {
  if (result.ok() || !is_not_owner(result.error())) return {std::move(result)};
  const auto owner = find_host(owner_of(result.error()));
  return {std::move(result), Found::not_owner, owner};
}

/// Notes what the outcome teaches; an outcome that was the last word stays as the caller is to get it.
CallCourse::Step CallRouter::next(const Bound& bound, CallCourse& course, std::optional<std::uint16_t> shard,
                                  Outcome& outcome) {
  const std::size_t target = course.target();
  note(target, outcome);
  if (!outcome.heard || !outcome.found) {
    const std::size_t guess = outcome.heard ? target : (target + 1) % providers_.size();
    if (shard) owners_[*shard].store(guess);
    else if (bound.method->traits().repeatable || !outcome.heard) preferred_.store(guess);
  }
  if (!outcome.found) return {};
  if (*outcome.found == Found::not_owner) {
    bound.redirects->add();
    if (shard && outcome.owner) owners_[*shard].store(*outcome.owner);
  }
  const auto step = course.next(*outcome.found, outcome.owner, parts_.clock.now(), back_by());
  // Whoever serves a call of its own must not pass on that others own nothing, as if it were about itself.
  if (!step.again && *outcome.found == Found::not_owner) outcome.result = no_owner(bound.method->name());
  return step;
}

void CallRouter::call_later(const std::shared_ptr<Bound>& bound, const api::CallContext& context, const void* request,
                            MethodBase::Finish finish) {
  const Instant now = parts_.clock.now();
  const Instant deadline = context.deadline == Instant{} ? now + default_patience : context.deadline;
  std::string body;
  json::Writer out(body);
  bound->method->request_codec().encode(out, request);
  const auto shard = shard_of(*bound->method, body);
  RemoteRequest message = request_to(*bound, context, {}, deadline);
  auto later = std::make_shared<Later>(Later{bound, context, std::string(context.caller), std::move(message.headers),
                                             std::move(body), shard,
                                             CallCourse(providers_.size(), first_of(*bound, shard), shard.has_value(),
                                                        shard ? std::min(deadline, now + search_patience) : deadline),
                                             std::move(finish)});
  later->context.caller = later->caller;
  later->context.deadline = deadline;
  if (now >= deadline)
    return went(later, {timed_out("the deadline passed before the call of " + std::string(bound->method->name()))});
  go_on(later, request);
}

void CallRouter::go_on(const std::shared_ptr<Later>& later, const void* request) {
  const Provider& provider = providers_[later->course.target()];
  const Bound& bound = *later->bound;
  if (provider.remote != nullptr) {
    RemoteRequest message{
        bound.path,         later->headers, later->body, later->context.deadline, bound.method->traits().repeatable,
        later->context.stop};
    provider.remote->call_later(std::move(message), [this, later, &provider](Attempt attempt) {
      // Not here: this thread waits for everybody's connections, and what follows may wait for something else.
      const auto arrived = std::make_shared<Attempt>(std::move(attempt));
      const auto work = [this, later, &provider, arrived] {
        went(later, outcome_of(*later->bound, *provider.remote, std::move(*arrived)));
      };
      if (!parts_.completions.submit(work)) work();
    });
    return;
  }
  if (auto refused = refused_here(later->shard)) return went(later, std::move(*refused));
  Value copy;
  if (request == nullptr) {  // the caller's own is gone by now
    copy = bound.method->request_codec().create();
    const auto document = json::Document::parse(later->body);
    if (!document || !bound.method->request_codec().decode(document->root(), copy.get()))
      return went(later, {internal_error("a request cannot be read again")});
    request = copy.get();
  }
  bound.local->serve(later->context, request,
                     [this, later](Result<Value> result) { went(later, outcome_here(std::move(result))); });
}

void CallRouter::went(const std::shared_ptr<Later>& later, Outcome outcome) {
  const auto step = next(*later->bound, later->course, later->shard, outcome);
  if (!step.again) {
    later->bound->count(outcome.result);
    return later->finish(std::move(outcome.result));
  }
  const auto work = [this, later] { go_on(later, nullptr); };
  if (step.pause == Duration::zero()) return work();
  parts_.loop.at(parts_.clock.now() + step.pause, [this, work] {
    if (!parts_.completions.submit(work)) work();
  });
}

}  // namespace backplane::host
