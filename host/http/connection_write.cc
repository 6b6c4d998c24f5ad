// The writing half of a connection, on the I/O thread or on the thread that has the answer.
#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "host/http/connection.h"
#include "host/http/response_writer.h"

namespace backplane::host {
namespace {

/// A body up to this goes out in one piece with the header.
constexpr std::size_t joined_body = 8 * 1024;
/// How long a client may be silent after a last answer before its connection is cut.
constexpr Duration linger = std::chrono::seconds(2);
/// What one connection may make its thread throw away before others have their turn.
constexpr std::size_t discarded_at_once = 1024 * 1024;

}  // namespace

void Connection::respond(http::Response response) {
  const Lock lock(mutex_);
  if (state_ == State::handling) send(std::move(response));
}

void Connection::send(http::Response response) {
  const ServerCore& core = *origin_.core;
  state_ = State::writing;
  if (core.draining.load(std::memory_order_relaxed)) close_after_ = true;
  WriteOptions options;
  options.keep_alive = !close_after_;
  options.http_1_0 = http_1_0_;
  options.cors = cors_;
  options.wall_ms = core.clock.wall_ms();
  head_ = write_head(response, options);
  if (!is_head_ && has_body(response.status)) {
    if (response.body.size() <= joined_body) {
      head_ += response.body;
    } else {
      body_ = std::move(response.body);
    }
  }
  written_ = 0;
  set_deadline(core.config.write_timeout);
  flush();
}

void Connection::flush() {
  for (;;) {
    const std::string_view first = std::string_view(head_).substr(std::min(written_, head_.size()));
    const std::size_t of_body = written_ - (head_.size() - first.size());
    const IoResult done = transport_->write(first, std::string_view(body_).substr(of_body));
    switch (done.status) {
      case IoStatus::ok:
        written_ += done.bytes;
        if (written_ == head_.size() + body_.size()) return finished();
        if (done.bytes > 0) set_deadline(origin_.core->config.write_timeout);
        break;
      case IoStatus::want_write: return later([](Connection& self, Lock&) { self.arm_write(); });
      case IoStatus::want_read: return later([](Connection& self, Lock&) { self.arm_read(); });
      default: return later([](Connection& self, Lock&) { self.close_locked(); });
    }
  }
}

void Connection::finished() {
  head_ = {};
  body_ = {};
  exchange_.reset();
  parser_.reset();
  match_.reset();
  known_ = false;
  is_head_ = false;
  if (close_after_) {
    // Closing at once would take the answer from a client that is still sending: what comes to a closed socket is
    // answered by a reset, which overtakes what the client has not read yet.
    transport_->shutdown_write();
    state_ = State::lingering;
    body_progress_ = 0;
    linger_until_ = now() + (origin_.core->draining ? linger : origin_.core->config.body_timeout);
    set_deadline(linger);
  } else {
    state_ = State::reading;
    set_deadline(origin_.core->config.idle_timeout);
  }
  // In most cases the wait that watched the client during the request waits for its next one already.
  if (!read_armed_ || !input_.empty() || transport_->has_buffered()) {
    later([](Connection& self, Lock& lock) { self.advance(lock); });
  }
}

/// Throws away what the client still sends, as much as a body may have and for as long as a piece of one may take.
void Connection::discard() {
  for (std::size_t at_once = 0; at_once < discarded_at_once;) {
    const IoResult got = transport_->read(origin_.thread.scratch());
    if (got.status == IoStatus::want_read) return arm_read();
    at_once += got.bytes;
    body_progress_ += got.bytes;
    if (got.status != IoStatus::ok || body_progress_ > origin_.core->config.max_body_bytes) return close_locked();
    deadline_ = std::min(now() + linger, linger_until_);
  }
  later([](Connection& self, Lock& lock) { self.advance(lock); });
}

void Connection::later(void (*step)(Connection&, Lock&)) {
  boost::asio::post(origin_.thread.context(), [self = shared_from_this(), step] {
    Lock lock(self->mutex_);
    if (self->state_ != State::closed) step(*self, lock);
  });
}

}  // namespace backplane::host
