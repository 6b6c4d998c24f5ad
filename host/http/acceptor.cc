#include "host/http/acceptor.h"

#include <linux/filter.h>
#include <sys/socket.h>

#include <array>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <string>
#include <utility>

#include "host/http/response_writer.h"

namespace backplane::host {
namespace {

using boost::asio::ip::tcp;
using boost::system::error_code;

std::string named(const ListenerConfig& config) {
  const bool ipv6 = config.address.find(':') != std::string::npos;
  return (ipv6 ? "[" + config.address + "]" : config.address) + ":" + std::to_string(config.port);
}

Error cannot_listen(const ListenerConfig& config, const error_code& fault) {
  std::string text = "Cannot listen on " + named(config) + ": " + fault.message() + ". ";
  if (fault == boost::asio::error::address_in_use) {
    text += "Stop the program that uses this port (`ss -ltnp 'sport = :" + std::to_string(config.port) +
            "'` shows it), or set another port in `listeners`";
  } else if (fault == boost::asio::error::access_denied) {
    text += "Ports below 1024 need CAP_NET_BIND_SERVICE: grant it, or set a higher port in `listeners`";
  } else {
    text += "Set an address of this machine in `listeners`";
  }
  return unavailable("cannot_listen", std::move(text));
}

std::string peer_of(const tcp::socket& socket) {
  error_code fault;
  const tcp::endpoint peer = socket.remote_endpoint(fault);
  if (fault) return "unknown";
  const auto address = peer.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

/// Whoever begins to connect gets no answer. He tries again in a second; then the socket is closed, and he is refused.
void ignore_new(int socket) {
  constexpr std::uint32_t flags = 13;  // where they are in a TCP header
  constexpr std::uint32_t syn = 0x02;
  constexpr std::uint32_t ack = 0x10;
  std::array<sock_filter, 5> program{{BPF_STMT(BPF_LD | BPF_B | BPF_ABS, flags),
                                      BPF_STMT(BPF_ALU | BPF_AND | BPF_K, syn | ack),
                                      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, syn, 0, 1), BPF_STMT(BPF_RET | BPF_K, 0),
                                      BPF_STMT(BPF_RET | BPF_K, 0xffffffff)}};
  const sock_fprog filter{program.size(), program.data()};
  // Where there are no filters the moment in between stays.
  (void)setsockopt(socket, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

}  // namespace

Acceptor::Acceptor(std::shared_ptr<ServerCore> core, const ListenerConfig& config, Dispatcher& dispatcher,
                   std::vector<std::unique_ptr<IoThread>>& threads, std::size_t own_thread)
    : core_(std::move(core)),
      listener_(std::make_shared<ListenerState>()),
      dispatcher_(dispatcher),
      threads_(threads),
      own_(*threads[own_thread % threads.size()]),
      next_(own_thread),
      acceptor_(own_.context()),
      pause_(own_.context()) {
  listener_->config = config;
  listener_->cors = config.serves.has(http::Surface::client) || config.serves.has(http::Surface::media);
}

Result<void> Acceptor::open() {
  const ListenerConfig& config = listener_->config;
  error_code fault;
  const auto address = boost::asio::ip::make_address(config.address, fault);
  if (fault) {
    return invalid("bad_address",
                   "Cannot listen on '" + config.address +
                       "': it is no IP address. Write one of this machine in `listeners`, or 0.0.0.0 or :: for all");
  }
  BACKPLANE_CHECK(load_certificate());
  const tcp::endpoint endpoint(address, config.port);
  acceptor_.open(endpoint.protocol(), fault);
  // Only this: with SO_REUSEPORT a second server, started by mistake, would share the port unnoticed.
  if (!fault) acceptor_.set_option(tcp::acceptor::reuse_address(true), fault);
  if (!fault && address.is_v6()) {
    error_code ignored;
    acceptor_.set_option(boost::asio::ip::v6_only(false), ignored);
  }
  if (!fault) acceptor_.bind(endpoint, fault);
  if (!fault) acceptor_.listen(boost::asio::socket_base::max_listen_connections, fault);
  if (fault) {
    error_code ignored;
    acceptor_.close(ignored);
    return cannot_listen(config, fault);
  }
  port_ = acceptor_.local_endpoint(fault).port();
  return {};
}

Result<void> Acceptor::load_certificate() {
  if (!listener_->config.tls) return {};
  BACKPLANE_TRY(context, TlsContext::load(*listener_->config.tls));
  const std::lock_guard lock(tls_mutex_);
  tls_ = std::move(context);
  return {};
}

std::shared_ptr<const TlsContext> Acceptor::tls() const {
  const std::lock_guard lock(tls_mutex_);
  return tls_;
}

void Acceptor::accept() {
  IoThread& target = *threads_[next_++ % threads_.size()];
  acceptor_.async_accept(target.context(), [this, &target](const error_code& fault, tcp::socket socket) {
    if (!fault) take(std::move(socket), target);
    if (!acceptor_.is_open()) return;
    if (!fault) return accept();
    if (fault == boost::asio::error::connection_aborted) return accept();
    core_->logger.warning("cannot accept connections",
                          {{"listener", named(listener_->config)}, {"why", fault.message()}});
    pause();  // out of files: later there may be some again
  });
}

void Acceptor::pause() {
  pause_.expires_after(std::chrono::milliseconds(200));
  pause_.async_wait([this](const error_code& cancelled) {
    if (!cancelled && acceptor_.is_open()) accept();
  });
}

void Acceptor::take(tcp::socket socket, IoThread& target) {
  Gate::Entry entry = core_->connections.enter();
  if (!entry) return;
  std::shared_ptr<const TlsContext> context = tls();
  if (listener_->connections.load() >= listener_->config.max_connections) {
    core_->traffic.connection_refused();
    if (context) return;  // a handshake would cost more than it is worth
    const http::Response busy = http::Response::error(unavailable("", "Too many connections"));
    WriteOptions options;
    options.keep_alive = false;
    options.wall_ms = core_->clock.wall_ms();
    Transport plain(socket.native_handle(), nullptr);
    (void)plain.write(write_head(busy, options), busy.body);
    plain.shutdown_write();
    return;
  }
  error_code ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  std::string peer = peer_of(socket);
  const auto connection =
      std::make_shared<Connection>(Connection::Origin{core_, listener_, std::move(context), dispatcher_, target},
                                   std::move(socket), std::move(entry), std::move(peer));
  boost::asio::post(target.context(), [connection] { connection->start(); });
}

void Acceptor::close() {
  // Who has connected is served: a request that may not be sent twice can be on its way. Nobody may connect between the
  // last look and the end: the system would tell him first that he is connected, and then that he is not.
  ignore_new(acceptor_.native_handle());
  error_code fault;
  acceptor_.non_blocking(true, fault);
  for (int left = boost::asio::socket_base::max_listen_connections; !fault && left > 0; --left) {
    IoThread& target = *threads_[next_++ % threads_.size()];
    tcp::socket socket(target.context());
    acceptor_.accept(socket, fault);
    if (!fault) take(std::move(socket), target);
  }
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

}  // namespace backplane::host
