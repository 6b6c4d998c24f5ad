// One client's connection: a state machine that is told by the I/O thread when its socket can be read, and writes its
// answers from whichever thread has them, so that a request costs no second trip through the I/O thread. While a
// request is handled or parked, the connection has no buffer and no parser, only a wait for the client to hang up.
//
// respond() on any thread; all else on the I/O thread. One mutex guards everything; it is not held when plugins run.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "host/http/dispatcher.h"
#include "host/http/exchange.h"
#include "host/http/io_thread.h"
#include "host/http/request_parser.h"
#include "host/http/server_core.h"
#include "host/http/transport.h"

namespace backplane::host {

/// What the connections of a listener share.
struct ListenerState {
  ListenerConfig config;
  bool cors = false;  ///< of answers that no route gives
  std::atomic<std::size_t> connections{0};
};

class Connection final : public ResponseSink, public std::enable_shared_from_this<Connection> {
 public:
  struct Origin {
    std::shared_ptr<ServerCore> core;
    std::shared_ptr<ListenerState> listener;
    std::shared_ptr<const TlsContext> tls;
    Dispatcher& dispatcher;
    IoThread& thread;
  };

  Connection(Origin origin, boost::asio::ip::tcp::socket socket, Gate::Entry entry, std::string peer);
  ~Connection() override;

  void start();
  void respond(http::Response response) override;
  /// Closes it when its time is up; a request that is read too slowly is answered 408.
  void expire(Instant now);
  /// Closes it when nothing is under way, or to be expected; otherwise the next answer will be the last.
  void drain();
  /// Answers what is parked or running with 503.
  void give_up();
  void close();

 private:
  enum class State : std::uint8_t { handshaking, reading, handling, writing, lingering, closed };
  using Lock = std::unique_lock<std::mutex>;

  // Reading (connection.cc)
  void advance(Lock& lock);
  void handshake(Lock& lock);
  void read(Lock& lock);
  bool consume(std::string_view data, Lock& lock);
  void on_header();
  void refuse(http::Response response);
  void on_request(Lock& lock);
  void watch_peer(Lock& lock);
  void arm_read();
  void arm_write();
  void close_locked();
  // Writing (connection_write.cc)
  void send(http::Response response);
  void flush();
  void finished();
  void discard();
  void later(void (*step)(Connection&, Lock&));

  Instant now() const { return origin_.core->clock.now(); }
  void set_deadline(Duration after) { deadline_ = now() + after; }

  const Origin origin_;
  const std::string peer_;
  std::mutex mutex_;
  std::optional<boost::asio::ip::tcp::socket> socket_;  ///< empty when closed: it must not outlive the I/O thread
  std::optional<Transport> transport_;
  Gate::Entry entry_;
  IoThread::Connections::iterator place_{};
  State state_ = State::handshaking;
  bool listed_ = false;
  bool read_armed_ = false;
  bool write_armed_ = false;
  // Of the request under way:
  bool known_ = false;  ///< its header was understood
  bool http_1_0_ = false;
  bool is_head_ = false;
  bool cors_ = false;
  bool close_after_ = false;
  bool used_ = false;  ///< has had a request
  Instant deadline_ = Instant::max();
  std::size_t body_progress_ = 0;  ///< of the present step; while lingering all that was thrown away
  Instant linger_until_ = Instant::max();
  std::unique_ptr<RequestParser> parser_;
  std::unique_ptr<RouteMatch> match_;
  std::optional<http::Response> immediate_;  ///< the answer, once the body is read
  std::weak_ptr<Exchange> exchange_;
  std::string input_;  ///< received and not used yet
  std::string head_;   ///< to be written, with a small body behind it
  std::string body_;
  std::size_t written_ = 0;
};

}  // namespace backplane::host
