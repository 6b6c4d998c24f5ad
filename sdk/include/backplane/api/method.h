// Internal APIs: what components ask of each other. An interface is a struct of Methods, each described once, where
// it is declared:
//
//   struct Greeter : Interface {
//     static constexpr std::string_view interface_id = "org.example.greeter/1";
//     Greeter();
//     ~Greeter() override;
//     Method<GreetRequest, GreetResponse> greet{*this, "greet", {.repeatable = true}};
//   };
//
// Its constructor and destructor are best defined in one .cc file: whoever does that includes api/method_description.h,
// which makes the JSON forms of all requests and responses and takes the compiler seconds; who only calls or binds does
// not.
//
// The provider binds a function to each; the host connects every consumer's own instance to it, directly when both
// are in one process, through HTTP when they are not. A call through a Method counts, measures, checks the deadline
// and stops exceptions. Requests and responses are aggregates described by BACKPLANE_FIELDS.
//
// A call blocks until its answer, any thread may make it, and none may be made while a lane, a lock, a transaction
// or a store's writer is held (debug builds assert it, see NoCalls). Deferred methods may wait for other servers:
// they answer through a Reply, on any thread.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backplane/api/context.h"
#include "backplane/base/clock.h"
#include "backplane/base/export.h"
#include "backplane/base/fields.h"
#include "backplane/base/metrics.h"
#include "backplane/base/result.h"

namespace backplane::api {

/// How a method is spread over several hosts of its interface.
enum class Routing : std::uint8_t {
  any,  ///< whichever
  key,  ///< the owner of the shard of the request's field `key_field`
};

struct MethodTraits {
  bool repeatable = false;  ///< asking twice does no harm: reads, and what carries an idempotency key
  Routing routing = Routing::any;
  std::string_view key_field{};
};

class Interface;

/// What the host needs of a method without knowing its types.
class BACKPLANE_API MethodBase {
 public:
  using Description = void (*)(std::string&);
  using Decode = Result<void> (*)(json::View, void* value);
  using Encode = void (*)(json::Writer&, const void* value);
  /// A request or response of unknown type on the heap.
  using Create = std::shared_ptr<void> (*)();
  struct Codec {
    Description describe;
    Decode decode;
    Encode encode;
    Create create;
  };
  /// A function of whatever type the two ends of a method share; only they call it, having cast it back.
  using Invoke = void (*)();
  using Finish = std::function<void(Result<std::shared_ptr<void>>)>;

  MethodBase(const MethodBase&) = delete;
  MethodBase& operator=(const MethodBase&) = delete;
  virtual ~MethodBase();

  std::string_view name() const { return name_; }
  const MethodTraits& traits() const { return traits_; }
  bool deferred() const { return deferred_; }
  bool bound() const { return invoke_ != nullptr; }
  const Codec& request_codec() const { return request_; }
  const Codec& response_codec() const { return response_; }

  /// Host: calls of this instance go where those of `provider` go. Both are of the same type (their fingerprints were
  /// compared).
  void connect(const MethodBase& provider) {
    self_ = provider.self_;
    invoke_ = provider.invoke_;
  }
  /// Host: counts calls of this instance.
  void measure(Counter* calls, Counter* errors, Histogram* seconds, Clock* clock, std::string_view caller);
  /// Host, serving a remote call: runs the method; `finish` gets the response (maybe later, when it is deferred).
  virtual void serve(const CallContext& context, const void* request, Finish finish) const = 0;
  /// Host, making remote calls: every call goes through `transfer`. Kept alive by this method.
  using Transfer = std::function<void(const MethodBase&, const CallContext&, const void* request, Finish)>;
  virtual void bind_remote(Transfer transfer) = 0;

 protected:
  MethodBase(Interface& owner, std::string_view name, MethodTraits traits, bool deferred, Codec request,
             Codec response);
  void count(Instant started, bool ok) const;
  static Error escaped(std::string_view method, const std::exception* exception);

  void* self_ = nullptr;
  Invoke invoke_ = nullptr;
  Clock* clock_ = nullptr;
  Counter* calls_ = nullptr;
  Counter* errors_ = nullptr;
  Histogram* seconds_ = nullptr;
  std::string_view caller_{};

 private:
  std::string_view name_;
  MethodTraits traits_;
  bool deferred_;
  Codec request_;
  Codec response_;
};

/// A set of methods under an id with a revision (`backplane.room_server/1`). An instance belongs to one provider or
/// one consumer and does not move.
class BACKPLANE_API Interface {
 public:
  explicit Interface(std::string_view id) : id_(id) {}
  Interface(const Interface&) = delete;
  Interface& operator=(const Interface&) = delete;
  virtual ~Interface();
  std::string_view id() const { return id_; }
  const std::vector<MethodBase*>& methods() const { return methods_; }
  MethodBase* find_method(std::string_view name) const;
  /// Differs whenever two builds describe a method or a field differently (16 hex digits).
  std::string fingerprint() const;
  /// Whether a provider is connected (an optional need may have none).
  explicit operator bool() const { return !methods_.empty() && methods_.front()->bound(); }

 private:
  friend class MethodBase;
  std::string_view id_;
  std::vector<MethodBase*> methods_;
};

/// While one of these is on a thread's stack, that thread must not make internal calls: it holds a lane, a lock or a
/// transaction. Checked in debug builds, where a call then aborts with `what`.
class BACKPLANE_API NoCalls {
 public:
  explicit NoCalls(const char* what);
  ~NoCalls();
  NoCalls(const NoCalls&) = delete;
  NoCalls& operator=(const NoCalls&) = delete;
  /// Aborts, in debug builds, when this thread must not call.
  static void check(std::string_view method);

 private:
  const char* outer_;
};

/// A call that answers before it returns.
template <class Request, class Response>
class Method final : public MethodBase {
 public:
  using Function = std::function<Result<Response>(const CallContext&, const Request&)>;
  Method(Interface& owner, std::string_view name, MethodTraits traits = {});

  /// Provider: what answers. Must be safe to call from several threads.
  void bind(Function function) {
    function_ = std::move(function);
    self_ = &function_;
    const Call call = [](void* self, const CallContext& context, const Request& request) {
      return (*static_cast<Function*>(self))(context, request);
    };
    invoke_ = reinterpret_cast<Invoke>(call);
  }

  Result<Response> operator()(const CallContext& context, const Request& request) const {
    if (invoke_ == nullptr) return unavailable("no_provider", "nothing provides the method " + std::string(name()));
    NoCalls::check(name());
    const Instant started = clock_ != nullptr ? clock_->now() : Instant{};
    if (clock_ != nullptr && context.deadline != Instant{} && started > context.deadline) {
      count(started, false);
      return timed_out("the deadline passed before the call of " + std::string(name()));
    }
    return counted(context, request, started);
  }

  void serve(const CallContext& context, const void* request, Finish finish) const override;
  void bind_remote(Transfer transfer) override;

 private:
  using Call = Result<Response> (*)(void* self, const CallContext&, const Request&);
  // The provider's answer is made where the caller wants it: to move one costs as much as all that is measured. (A
  // compiler leaves the move out of a function with a named result when each of its returns is of that name.)
  Result<Response> counted(const CallContext& context, const Request& request, Instant started) const {
    Result<Response> result = guarded(context, request);
    count(started, result.ok());
    return result;
  }
  Result<Response> guarded(const CallContext& context, const Request& request) const {
    try {
      return reinterpret_cast<Call>(invoke_)(self_, context, request);
    } catch (const std::exception& e) {
      return escaped(name(), &e);
    } catch (...) {
      return escaped(name(), nullptr);
    }
  }

  Function function_;
};

/// Answers a deferred call, once, from any thread. Copies share one answer; when the last copy is gone without one,
/// the caller gets internal.
template <class T>
class Reply {
 public:
  using Callback = std::function<void(Result<T>)>;
  explicit Reply(Callback callback) : state_(std::make_shared<State>(std::move(callback))) {}
  /// Whether this was the answer that counted.
  bool operator()(Result<T> result) const { return state_->finish(std::move(result)); }

 private:
  struct State {
    explicit State(Callback c) : callback(std::move(c)) {}
    ~State() {
      if (done.load()) return;
      try {  // the caller's code must not end the process from here
        finish(internal_error("a deferred call was dropped without an answer"));
      } catch (...) {  // NOLINT: there is nobody left to tell
      }
    }
    bool finish(Result<T> result) {
      if (done.exchange(true)) return false;
      auto run = std::move(callback);
      run(std::move(result));
      return true;
    }
    std::atomic<bool> done{false};
    Callback callback;
  };
  std::shared_ptr<State> state_;
};

/// A call that may wait for another server: it returns at once, and answers on any thread.
template <class Request, class Response>
class DeferredMethod final : public MethodBase {
 public:
  using Function = std::function<void(const CallContext&, const Request&, Reply<Response>)>;
  DeferredMethod(Interface& owner, std::string_view name, MethodTraits traits = {});

  void bind(Function function) {
    function_ = std::move(function);
    self_ = &function_;
    const Call call = [](void* self, const CallContext& context, const Request& request, const Reply<Response>& reply) {
      (*static_cast<Function*>(self))(context, request, reply);
    };
    invoke_ = reinterpret_cast<Invoke>(call);
  }

  void operator()(const CallContext& context, const Request& request, typename Reply<Response>::Callback answer) const {
    if (invoke_ == nullptr)
      return answer(unavailable("no_provider", "nothing provides the method " + std::string(name())));
    NoCalls::check(name());
    const Instant started = clock_ != nullptr ? clock_->now() : Instant{};
    if (clock_ != nullptr && context.deadline != Instant{} && started > context.deadline) {
      count(started, false);
      return answer(timed_out("the deadline passed before the call of " + std::string(name())));
    }
    Reply<Response> reply([this, started, answer = std::move(answer)](Result<Response> result) {
      count(started, result.ok());
      answer(std::move(result));
    });
    try {
      reinterpret_cast<Call>(invoke_)(self_, context, request, reply);
    } catch (const std::exception& e) {
      reply(escaped(name(), &e));
    } catch (...) {
      reply(escaped(name(), nullptr));
    }
  }

  void serve(const CallContext& context, const void* request, Finish finish) const override;
  void bind_remote(Transfer transfer) override;

 private:
  using Call = void (*)(void* self, const CallContext&, const Request&, const Reply<Response>&);
  Function function_;
};

/// A request or response without members.
struct Nothing {};
BACKPLANE_FIELDS(Nothing);

}  // namespace backplane::api
