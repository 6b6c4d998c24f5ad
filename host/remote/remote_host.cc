#include "host/remote/remote_host.h"

#include <netdb.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "backplane/base/json.h"
#include "host/remote/remote_call.h"

namespace backplane::host {
namespace {

using End = CallLoop::End;

constexpr std::size_t max_kept = 128;
constexpr std::size_t max_deferred = 4096;  // each has a connection
constexpr Duration connect_patience = std::chrono::seconds(3);
// Shorter than our listener's own limit, so that the other side seldom closes a connection as it is taken.
constexpr Duration keep_for = std::chrono::seconds(30);
constexpr Duration addresses_for = std::chrono::seconds(30);

/// Makes a caller's stop token something that poll() can wait for. Without one it costs nothing.
class StopSignal {
 public:
  explicit StopSignal(const std::stop_token& stop) {
    if (!stop.stop_possible()) return;
    event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    watch_.emplace(stop, Wake{event_});
  }
  ~StopSignal() {
    watch_.reset();
    if (event_ >= 0) ::close(event_);
  }
  StopSignal(const StopSignal&) = delete;
  StopSignal& operator=(const StopSignal&) = delete;
  int event() const { return event_; }

 private:
  struct Wake {
    int event;
    void operator()() const {
      const std::uint64_t one = 1;
      (void)!::write(event, &one, sizeof one);
    }
  };
  int event_ = -1;
  std::optional<std::stop_callback<Wake>> watch_;
};

int poll_ms(Duration left) {
  constexpr Duration longest = std::chrono::seconds(60);
  const auto ms = std::chrono::ceil<std::chrono::milliseconds>(std::clamp(left, Duration::zero(), longest));
  return static_cast<int>(ms.count());
}

/// The listener refused it before a handler saw it.
bool is_refusal(int status, std::string_view body) {
  return status == 503 && json::find_raw(body, "errcode") && json::find_raw(body, "retry_after_ms");
}

}  // namespace

/// A deferred call: shared by what may end it.
struct RemoteHost::Deferred {
  Deferred(RemoteHost& h, RemoteRequest r, Finish f) : host(h), request(std::move(r)), finish(std::move(f)) {}
  ~Deferred() { host.deferred_.fetch_sub(1); }
  RemoteHost& host;
  const RemoteRequest request;
  const Finish finish;
  bool again = true;  ///< a kept connection may be found dead, once
  struct Cancel {
    CallLoop& loop;
    CallLoop::Ticket ticket;
    void operator()() const { loop.cancel(ticket); }
  };
  std::mutex mutex;
  std::optional<std::stop_callback<Cancel>> stop;  // mutex
};

RemoteHost::RemoteHost(Options options, Clock& clock, CallLoop& loop, Metrics& metrics)
    : options_(std::move(options)),
      clock_(clock),
      loop_(loop),
      retries_(metrics.counter("retries_total", "Internal calls that were sent to another host again.",
                               {{"host", options_.name}})),
      open_(metrics.gauge("connections", "Connections to another host, in use or kept.", {{"host", options_.name}})) {
  std::string_view url = options_.url;
  encrypted_ = url.starts_with("https://");
  url.remove_prefix(std::min(url.size(), url.find("://") + 3));
  const std::size_t slash = std::min(url.find('/'), url.size());
  path_ = url.substr(slash);
  while (path_.ends_with('/')) path_.pop_back();
  const std::string_view authority = url.substr(0, slash);
  const std::size_t bracket = authority.find(']');
  const std::size_t colon = authority.find(':', bracket == std::string_view::npos ? 0 : bracket);
  host_ = authority.substr(0, colon);
  if (host_.starts_with('[')) host_ = host_.substr(1, host_.size() - 2);
  port_ = colon == std::string_view::npos ? (encrypted_ ? "443" : "80") : std::string(authority.substr(colon + 1));
  common_headers_ = "Host: " + std::string(authority) + "\r\nAuthorization: Bearer " + options_.shared_secret +
                    "\r\nContent-Type: application/json\r\n";
  tls_ = options_.tls;
}

RemoteHost::~RemoteHost() { open_.add(-static_cast<std::int64_t>(kept_.size())); }

RemoteHost::Connection RemoteHost::take() {
  const Instant now = clock_.now();
  std::vector<Kept> old;  // closed outside the lock
  Connection found;
  {
    const std::lock_guard lock(mutex_);
    while (!kept_.empty() && !found) {
      Kept last = std::move(kept_.back());
      kept_.pop_back();
      if (now - last.since < keep_for && !last.connection->stale()) found = std::move(last.connection);
      else old.push_back(std::move(last));
    }
  }
  open_.add(-static_cast<std::int64_t>(old.size()));
  return found;
}

void RemoteHost::give_back(Connection connection) {
  if (!connection->keeps()) return open_.add(-1);
  const Instant now = clock_.now();
  std::vector<Kept> old;
  {
    const std::lock_guard lock(mutex_);
    kept_.push_back({std::move(connection), now});
    if (kept_.size() > max_kept || now - kept_.front().since >= keep_for) {
      old.push_back(std::move(kept_.front()));
      kept_.erase(kept_.begin());
    }
  }
  open_.add(-static_cast<std::int64_t>(old.size()));
}

Result<std::shared_ptr<const SocketAddresses>> RemoteHost::addresses() {
  {
    const std::lock_guard lock(mutex_);
    if (addresses_ && clock_.now() - resolved_ < addresses_for) return addresses_;
  }
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_ADDRCONFIG;
  addrinfo* list = nullptr;
  // AI_ADDRCONFIG knows no loopback: a machine without a network asks again without it.
  int fault = ::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &list);
  if (fault != 0) {
    hints.ai_flags = 0;
    fault = ::getaddrinfo(host_.c_str(), port_.c_str(), &hints, &list);
  }
  if (fault != 0) return unavailable("host_unreachable", "its name " + host_ + ": " + ::gai_strerror(fault));
  auto found = std::make_shared<SocketAddresses>();
  for (const addrinfo* entry = list; entry != nullptr; entry = entry->ai_next) {
    SocketAddress& address = found->emplace_back();
    std::memcpy(&address.storage, entry->ai_addr, entry->ai_addrlen);
    address.length = entry->ai_addrlen;
  }
  ::freeaddrinfo(list);
  const std::lock_guard lock(mutex_);
  addresses_ = found;
  resolved_ = clock_.now();
  return addresses_;
}

void RemoteHost::forget_addresses() {
  const std::lock_guard lock(mutex_);
  addresses_.reset();
}

void RemoteHost::set_tls(std::shared_ptr<const TlsContext> tls) {
  const std::lock_guard lock(mutex_);
  tls_ = std::move(tls);
}

Result<RemoteHost::Connection> RemoteHost::open() {
  BACKPLANE_TRY(where, addresses());
  std::shared_ptr<const TlsContext> tls;
  if (encrypted_) {
    const std::lock_guard lock(mutex_);
    if (!tls_) return unavailable("host_unreachable", "there are no certificates for its url yet");
    tls = tls_;
  }
  open_.add(1);
  return std::make_unique<CallConnection>(std::move(where), std::move(tls), host_);
}

std::string RemoteHost::message(const RemoteRequest& request) const {
  const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(request.deadline - clock_.now());
  std::string out;
  out.reserve(path_.size() + request.path.size() + common_headers_.size() + request.headers.size() +
              request.body.size() + 128);
  out.append("POST ").append(path_).append(request.path).append(" HTTP/1.1\r\n");
  out.append(common_headers_).append(request.headers);
  out.append(deadline_header).append(": ").append(std::to_string(left.count()));
  out.append("\r\nContent-Length: ").append(std::to_string(request.body.size())).append("\r\n\r\n");
  return out.append(request.body);
}

Attempt RemoteHost::not_reached(const std::string& why) {
  forget_addresses();  // it may have moved
  return {Attempt::Fate::not_begun, 0, why};
}

Attempt RemoteHost::answered(Connection connection) {
  Attempt out{Attempt::Fate::answered, connection->status(), connection->take_body()};
  if (is_refusal(out.status, out.text)) out = {Attempt::Fate::not_begun, 0, "it is too busy"};
  give_back(std::move(connection));
  return out;
}

/// What a connection says at its end; it does not live on.
Attempt RemoteHost::over(Connection connection, End how) {
  if (how == End::answered) return answered(std::move(connection));
  open_.add(-1);
  switch (how) {
    case End::too_late:
      if (!connection->connected()) return not_reached("it does not answer");
      return {Attempt::Fate::too_late, 0, "the deadline came before its answer"};
    case End::cancelled: return {Attempt::Fate::cancelled, 0, "nobody waits for the answer any more"};
    default: break;
  }
  if (!connection->sent()) return not_reached(connection->why());
  return {Attempt::Fate::lost, 0, connection->why()};
}

/// A kept connection may have been closed by the other side meanwhile. Only what may be repeated, or was not sent, is
/// sent again.
bool RemoteHost::send_again(const RemoteRequest& request, bool kept, const CallConnection& connection) const {
  return kept && (request.repeatable || !connection.sent());
}

End RemoteHost::drive(CallConnection& connection, const RemoteRequest& request) const {
  const StopSignal stop(request.stop);
  const Instant connect_by = clock_.now() + connect_patience;
  for (;;) {
    const IoStatus status = connection.advance();
    if (status == IoStatus::ok) return End::answered;
    if (status != IoStatus::want_read && status != IoStatus::want_write) return End::failed;
    const Instant until = connection.connected() ? request.deadline : std::min(request.deadline, connect_by);
    const Instant now = clock_.now();
    if (now >= until) return End::too_late;
    std::array<pollfd, 2> waits{
        pollfd{connection.socket(), static_cast<short>(status == IoStatus::want_read ? POLLIN : POLLOUT), 0},
        pollfd{stop.event(), POLLIN, 0}};
    (void)::poll(waits.data(), stop.event() < 0 ? 1 : 2, poll_ms(until - now));
    if (waits[1].revents != 0) return End::cancelled;
  }
}

Attempt RemoteHost::call(const RemoteRequest& request) {
  Connection connection = take();
  for (bool kept = connection != nullptr;; kept = false) {
    if (!connection) {
      auto opened = open();
      if (!opened) return not_reached(opened.error().text);
      connection = std::move(*opened);
    }
    connection->begin(message(request));
    const End how = drive(*connection, request);
    if (how != End::failed || !send_again(request, kept, *connection)) return over(std::move(connection), how);
    retries_.add();
    open_.add(-1);
    connection.reset();
  }
}

void RemoteHost::call_later(RemoteRequest request, Finish finish) {
  if (deferred_.fetch_add(1) >= max_deferred) {
    deferred_.fetch_sub(1);
    return finish({Attempt::Fate::not_begun, 0, "too many calls wait for it"});
  }
  go_on(std::make_shared<Deferred>(*this, std::move(request), std::move(finish)));
}

void RemoteHost::go_on(const std::shared_ptr<Deferred>& deferred) {
  Connection connection = deferred->again ? take() : nullptr;
  const bool kept = connection != nullptr;
  if (!connection) {
    auto opened = open();
    if (!opened) return deferred->finish(not_reached(opened.error().text));
    connection = std::move(*opened);
  }
  connection->begin(message(deferred->request));
  const auto done = [this, deferred, kept](Connection ended, End how) {
    {
      const std::lock_guard lock(deferred->mutex);
      deferred->stop.reset();
    }
    if (how == End::failed && deferred->again && send_again(deferred->request, kept, *ended)) {
      deferred->again = false;
      retries_.add();
      open_.add(-1);
      ended.reset();
      return go_on(deferred);
    }
    deferred->finish(over(std::move(ended), how));
  };
  const RemoteRequest& request = deferred->request;
  const auto ticket = loop_.drive(std::move(connection), clock_.now() + connect_patience, request.deadline, done);
  if (!request.stop.stop_possible()) return;
  const std::lock_guard lock(deferred->mutex);
  deferred->stop.emplace(request.stop, Deferred::Cancel{loop_, ticket});
}

}  // namespace backplane::host
