#include "host/remote/head_asker.h"

#include <optional>
#include <utility>

namespace backplane::host {
namespace {

/// Of a call: whoever asked may have left before, and the next call has to begin some time.
constexpr Duration patience = std::chrono::seconds(5);

/// Takes one answer into what is known; an error when the histories differ.
Result<void> take(std::string_view epoch, const log::Positions& positions, std::optional<log::OwnHead>& known) {
  if (!known) {
    known = log::OwnHead{"", std::string(epoch), positions};
    return {};
  }
  if (known->epoch != epoch) return unavailable("other_epoch", "hosts have different histories of a log");
  known->positions.merge(positions);
  return {};
}

}  // namespace

/// One call and those who wait for it. The asker's mutex.
struct HeadAsker::Round {
  bool ended = false;
  Result<api::ListHeadsResponse> answer{api::ListHeadsResponse{}};
};

struct HeadAsker::Peer {
  std::string host;
  std::vector<std::string> topics;
  api::LogHeads heads;
  std::shared_ptr<Round> running;  // mutex_
  std::shared_ptr<Round> next;     // mutex_
};

HeadAsker::HeadAsker(OwnHeads own, Clock& clock) : own_(std::move(own)), clock_(clock) {}
HeadAsker::~HeadAsker() = default;

void HeadAsker::add_host(const std::string& host, std::vector<std::string> topics, CallRouter& router) {
  const auto peer = std::make_shared<Peer>();
  peer->host = host;
  peer->topics = std::move(topics);
  router.bind(peer->heads);
  for (const std::string& topic : peer->topics) peers_[topic].push_back(peer);
}

std::shared_ptr<HeadAsker::Round> HeadAsker::join(const std::shared_ptr<Peer>& peer) {
  const std::lock_guard lock(mutex_);
  if (!peer->next) peer->next = std::make_shared<Round>();
  return peer->next;
}

/// Makes the next round the running one, unless there is none or one is running.
void HeadAsker::begin(const std::shared_ptr<Peer>& peer) {
  {
    const std::lock_guard lock(mutex_);
    if (peer->running || !peer->next) return;
    peer->running = std::exchange(peer->next, nullptr);
  }
  peer->heads.list_heads({.deadline = clock_.now() + patience, .stop = {}, .request_id = {}, .caller = "host"},
                         {peer->topics},
                         [this, peer](Result<api::ListHeadsResponse> answer) { end(peer, std::move(answer)); });
}

void HeadAsker::end(const std::shared_ptr<Peer>& peer, Result<api::ListHeadsResponse> answer) {
  {
    const std::lock_guard lock(mutex_);
    peer->running->answer = std::move(answer);
    peer->running->ended = true;
    peer->running.reset();
    ended_.notify_all();
  }
  begin(peer);
}

Result<log::Positions> HeadAsker::ask(std::string_view topic, Instant until) {
  const auto peers = peers_.find(topic);
  std::vector<std::shared_ptr<Round>> rounds;
  if (peers != peers_.end()) {
    for (const auto& peer : peers->second) {
      rounds.push_back(join(peer));
      begin(peer);
    }
  }
  std::optional<log::OwnHead> known;
  for (const log::OwnHead& own : own_({std::string(topic)})) BACKPLANE_CHECK(take(own.epoch, own.positions, known));
  for (const auto& round : rounds) {
    std::unique_lock lock(mutex_);
    if (!clock_.wait_until(ended_, lock, until, [&] { return round->ended; }))
      return timed_out("a host has not said how far topic " + std::string(topic) + " has come");
    if (!round->answer) return round->answer.error();
    for (const api::TopicHead& head : round->answer->heads) {
      if (head.topic != topic) continue;
      const auto positions = log::Positions::decode(head.positions);
      if (!positions) return internal_error("a host answered a position that is none: " + head.positions);
      BACKPLANE_CHECK(take(head.epoch, *positions, known));
    }
  }
  if (!known) return unavailable("no_publisher", "no host publishes topic " + std::string(topic));
  return known->positions;
}

}  // namespace backplane::host
