#include "host/http/connection.h"

#include <algorithm>
#include <utility>

#include "host/http/response_writer.h"

namespace backplane::host {
namespace {

/// Bodies up to this are read and dropped where a route takes none (clients send `{}` with a DELETE, and the like) or
/// there is no route, so that the connection can be used on.
constexpr std::size_t dropped_body = 64 * 1024;
/// A body has to go on by this much in every body_timeout.
constexpr std::size_t body_step = 64 * 1024;
/// How long a connection without a request yet is kept when the server is about to end.
constexpr Duration first_request_wait = std::chrono::seconds(1);
/// And one that had a request a moment ago: a proxy may have chosen it for the next one. After that it hears by the
/// answer to that one that it may not go on.
constexpr Duration next_request_wait = std::chrono::milliseconds(250);
constexpr Duration a_moment_ago = std::chrono::seconds(1);

}  // namespace

Connection::Connection(Origin origin, boost::asio::ip::tcp::socket socket, Gate::Entry entry, std::string peer)
    : origin_(std::move(origin)), peer_(std::move(peer)), socket_(std::move(socket)), entry_(std::move(entry)) {
  transport_.emplace(socket_->native_handle(), origin_.tls);
}

Connection::~Connection() = default;

void Connection::start() {
  Lock lock(mutex_);
  place_ = origin_.thread.add(shared_from_this());
  listed_ = true;
  origin_.core->traffic.connection_opened();
  origin_.listener->connections.fetch_add(1);
  set_deadline(origin_.core->draining ? first_request_wait : origin_.core->config.header_timeout);
  if (!transport_->encrypted()) state_ = State::reading;
  advance(lock);
}

void Connection::advance(Lock& lock) {
  switch (state_) {
    case State::handshaking: return handshake(lock);
    case State::reading: return read(lock);
    case State::handling: return watch_peer(lock);
    case State::writing: return flush();
    case State::lingering: return discard();
    case State::closed: return;
  }
}

void Connection::handshake(Lock& lock) {
  switch (transport_->handshake().status) {
    case IoStatus::ok: state_ = State::reading; return read(lock);
    case IoStatus::want_read: return arm_read();
    case IoStatus::want_write: return arm_write();
    default: return close_locked();
  }
}

void Connection::read(Lock& lock) {
  if (!input_.empty() && !consume({}, lock)) return;
  for (;;) {
    const auto scratch = origin_.thread.scratch();
    const IoResult got = transport_->read(scratch);
    switch (got.status) {
      case IoStatus::ok:
        if (!consume({scratch.data(), got.bytes}, lock)) return;
        // A short read has emptied the socket: the next one would only say so.
        if (!transport_->encrypted() && got.bytes < scratch.size()) return arm_read();
        break;
      case IoStatus::want_read: return arm_read();
      case IoStatus::want_write: return arm_write();
      default: return close_locked();
    }
  }
}

/// Answers whether to read on. A request that is complete is handed over, with the lock released.
bool Connection::consume(std::string_view data, Lock& lock) {
  const bool from_input = !input_.empty();
  if (from_input) {
    input_ += data;
    data = input_;
  }
  bool complete = false;
  while (state_ == State::reading && !complete) {
    if (!parser_) {
      while (data.starts_with("\r\n")) data.remove_prefix(2);  // RFC 9112, 2.2: before a request, to be ignored
      if (data.empty()) break;
      const HttpConfig& config = origin_.core->config;
      parser_ = std::make_unique<RequestParser>(
          ParserLimits{config.max_header_bytes, config.max_uri_bytes, config.max_headers});
      set_deadline(config.header_timeout);
    }
    std::size_t used = 0;
    const RequestParser::Status status = parser_->feed(data, used);
    data.remove_prefix(used);
    if (known_ && (body_progress_ += used) >= body_step) {
      body_progress_ = 0;
      set_deadline(origin_.core->config.body_timeout);
    }
    if (status == RequestParser::Status::failed) refuse(http::Response::error(parser_->error()));
    if (status == RequestParser::Status::header_done) on_header();
    if (status == RequestParser::Status::need_more) break;
    complete = status == RequestParser::Status::done;
  }
  if (from_input) {
    input_.erase(0, input_.size() - data.size());
    if (input_.empty()) input_ = {};  // gives the memory back
  } else {
    input_.assign(data);
  }
  if (complete) on_request(lock);
  // After a request, finished() sees to the next one; it may have done so already.
  return !complete && state_ == State::reading;
}

void Connection::on_header() {
  const ServerCore& core = *origin_.core;
  http::Request& request = parser_->request();
  known_ = true;
  body_progress_ = 0;
  set_deadline(core.config.body_timeout);
  http_1_0_ = parser_->http_1_0();
  is_head_ = parser_->method_known() && request.method == http::Method::head;
  close_after_ = !parser_->keep_alive();
  cors_ = origin_.listener->cors;

  const auto method = parser_->method_known() ? std::optional(request.method) : std::nullopt;
  Result<RouteMatch> found = core.routes.find(origin_.listener->config.serves, method, request.path);
  if (!found) {
    immediate_ = http::Response::error(found.error());
  } else if (found->route != nullptr) {
    cors_ = needs_cors(found->route->surface);
    match_ = std::make_unique<RouteMatch>(*std::move(found));
  } else if (method == http::Method::options && (cors_ || !found->allowed.empty())) {
    // Spec: "Web Browser Clients": every path, without its endpoint's logic; a browser that may not ask for an unknown
    // path would hide the 404 from its user.
    immediate_ = options_answer(found->allowed);
  } else {
    immediate_ = found->allowed.empty() ? unknown_path() : wrong_method(found->allowed);
  }

  const std::size_t limit = match_ ? std::min(match_->route->options.body_limit, core.config.max_body_bytes) : 0;
  const std::size_t accepted = limit == 0 ? dropped_body : limit;
  if (parser_->content_length().value_or(0) > accepted) {
    return refuse(immediate_ ? *std::exchange(immediate_, std::nullopt)
                             : http::Response::error(invalid("too_large", "The request's body is too large")));
  }
  parser_->accept_body(accepted, limit != 0);
  if (!parser_->has_body() || !parser_->expects_continue() || http_1_0_) return;
  if (immediate_) return refuse(*std::exchange(immediate_, std::nullopt));  // and the client may keep its body
  (void)transport_->write("HTTP/1.1 100 Continue\r\n\r\n", {});
}

/// Answers before the request is read to its end, so the connection cannot be used on.
void Connection::refuse(http::Response response) {
  if (!known_) cors_ = origin_.listener->cors;
  close_after_ = true;
  origin_.core->traffic.answered_without_route(response.status);
  send(std::move(response));
}

void Connection::on_request(Lock& lock) {
  http::Request request = std::move(parser_->request());
  parser_.reset();
  used_ = true;
  deadline_ = Instant::max();
  if (immediate_) {
    origin_.core->traffic.answered_without_route(immediate_->status);
    return send(*std::exchange(immediate_, std::nullopt));
  }
  const std::unique_ptr<RouteMatch> match = std::move(match_);
  ServerCore& core = *origin_.core;
  request.parameters = std::move(match->parameters);
  request.id = core.next_request_id();
  request.deadline = now() + match->route->options.deadline;
  request.remote_address = core.config.trusted_proxies.empty()
                               ? peer_
                               : core.config.trusted_proxies.client_of(peer_, request.header("x-forwarded-for"));
  state_ = State::handling;
  auto exchange = std::make_shared<Exchange>(origin_.core, shared_from_this(), *match->route, request.id);
  exchange_ = exchange;
  arm_read();  // to notice that the client hangs up, or has sent its next request
  lock.unlock();
  origin_.dispatcher.dispatch(*match->route, std::move(request), std::move(exchange));
  lock.lock();
}

void Connection::watch_peer(Lock& lock) {
  const IoStatus status = transport_->peek().status;
  if (status == IoStatus::ok) return;  // the next request; finished() sees that no wait is armed
  if (status == IoStatus::want_read) return arm_read();
  if (status == IoStatus::want_write) return;
  // A peer that sends no more may still read: it gets its answer, if one comes.
  std::shared_ptr<Exchange> exchange = exchange_.lock();
  close_after_ = true;
  if (status == IoStatus::failed) close_locked();
  lock.unlock();
  if (exchange) exchange->abandon();
  exchange.reset();  // if it was the last, it answers, which needs the lock
  lock.lock();
}

void Connection::arm_read() {
  if (read_armed_) return;
  read_armed_ = true;
  socket_->async_wait(boost::asio::ip::tcp::socket::wait_read, [self = shared_from_this()](const auto& fault) {
    Lock lock(self->mutex_);
    self->read_armed_ = false;
    if (!fault) self->advance(lock);
  });
}

void Connection::arm_write() {
  if (write_armed_) return;
  write_armed_ = true;
  socket_->async_wait(boost::asio::ip::tcp::socket::wait_write, [self = shared_from_this()](const auto& fault) {
    Lock lock(self->mutex_);
    self->write_armed_ = false;
    if (!fault && self->state_ != State::handling) self->advance(lock);
  });
}

void Connection::expire(Instant now) {
  const Lock lock(mutex_);
  if (now < deadline_) return;
  if (state_ == State::reading && parser_) {
    return refuse(http::Response::error(Error(ErrorCode::timeout, "request_timeout", "The request came too slowly")));
  }
  if (state_ == State::reading && transport_->peek().status == IoStatus::ok) {
    return set_deadline(origin_.core->config.header_timeout);  // it came in time, and is read soon
  }
  close_locked();
}

void Connection::drain() {
  const Lock lock(mutex_);
  if (state_ == State::lingering) linger_until_ = deadline_;
  const bool idle = state_ == State::reading && !parser_ && input_.empty();
  if (!idle && state_ != State::handshaking) return;
  // A request may be on its way, and one that may not be sent twice would be lost: of a client that has just come, or
  // unread in the socket.
  const bool used_lately = deadline_ > now() + origin_.core->config.idle_timeout - a_moment_ago;
  if (!used_) deadline_ = std::min(deadline_, now() + first_request_wait);
  else if (used_lately) set_deadline(next_request_wait);
  else if (transport_->peek().status != IoStatus::ok) close_locked();
}

void Connection::give_up() {
  std::shared_ptr<Exchange> exchange;
  {
    const Lock lock(mutex_);
    if (state_ == State::reading) return close_locked();
    exchange = exchange_.lock();
  }
  if (exchange) exchange->complete(http::Response::error(unavailable("", "The server is shutting down")));
}

void Connection::close() {
  const Lock lock(mutex_);
  close_locked();
}

void Connection::close_locked() {
  if (state_ == State::closed) return;
  state_ = State::closed;
  transport_.reset();
  boost::system::error_code ignored;
  socket_->close(ignored);
  socket_.reset();
  parser_.reset();
  match_.reset();
  input_ = {};
  head_ = {};
  body_ = {};
  origin_.core->traffic.connection_closed();
  origin_.listener->connections.fetch_sub(1);
  if (std::exchange(listed_, false)) origin_.thread.remove(place_);
  entry_ = Gate::Entry{};  // the server may go on from here
}

}  // namespace backplane::host
