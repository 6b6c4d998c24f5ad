#include "backplane/log/runtime.h"

#include <algorithm>
#include <map>
#include <stdexcept>
#include <utility>

#include "log/consume_runner.h"
#include "log/outbox.h"
#include "log/tail_runner.h"

namespace backplane::log {
namespace {

class OutboxPublisher final : public Publisher {
 public:
  OutboxPublisher(Outbox& outbox, Outbox::Topic& topic) : outbox_(outbox), topic_(topic) {}

  Position publish(storage::Write& write, std::string_view key, std::string payload) override {
    if (topic_.durability != Durability::durable) throw std::logic_error("topic '" + topic_.name + "' is volatile");
    if (&write.outbox() != &outbox_)
      throw std::logic_error("topic '" + topic_.name + "' is published in another store's transaction");
    return outbox_.publish(write, topic_, key, std::move(payload));
  }
  Position publish_volatile(std::string_view key, std::string payload, Duration expires_in) override {
    if (topic_.durability != Durability::volatile_) throw std::logic_error("topic '" + topic_.name + "' is durable");
    return outbox_.publish_volatile(topic_, key, std::move(payload), expires_in);
  }
  Positions head() const override { return outbox_.head(topic_); }
  Positions head(storage::Session& session) const override {
    if (topic_.durability != Durability::durable) throw std::logic_error("topic '" + topic_.name + "' is volatile");
    return outbox_.head(session, topic_);
  }

 private:
  Outbox& outbox_;
  Outbox::Topic& topic_;
};

/// A subscription of a plugin.
struct Owned {
  std::string plugin;
  std::unique_ptr<Runner> runner;
};

}  // namespace

struct Runtime::State {
  class PluginLog;

  State(Clock& c, Random& r, Logger l, RuntimeOptions o)
      : clock(c),
        random(r),
        logger(std::move(l)),
        settings{.ring_bytes = o.ring_bytes, .upkeep_interval = o.upkeep_interval} {}

  Outbox& outbox_of(storage::Store* store) {
    auto& outbox = outboxes[store];
    if (outbox == nullptr) outbox = std::make_unique<Outbox>(store, clock, random, settings);
    return *outbox;
  }
  void subscribe(Transport& transport, Owned& subscription);
  bool is_published(std::string_view topic) const;
  bool is_asked(std::string_view topic) const;
  void note_missing(std::string_view topic, const std::string& plugin);

  Clock& clock;
  Random& random;
  const Logger logger;
  const OutboxSettings settings;
  // Volatile-only publishers share the outbox without a store (nullptr).
  std::map<storage::Store*, std::unique_ptr<Outbox>> outboxes;
  std::map<std::string, std::string, std::less<>> publisher_of;  // topic → plugin
  std::vector<std::string> faults;
  std::vector<std::unique_ptr<OutboxPublisher>> publishers;
  std::map<std::string, std::unique_ptr<PluginLog>, std::less<>> logs;
  std::vector<Owned> consumers, tails;
  std::vector<std::string> asked_topics;
  HeadAsker head_asker;
  std::vector<MissingTopic> missing;
  bool started = false;
  bool running = false;
};

/// What one plugin registers with.
class Runtime::State::PluginLog final : public Log {
 public:
  PluginLog(State& state, std::string plugin, Metrics& metrics, Logger logger)
      : state_(state), plugin_(std::move(plugin)), metrics_(metrics), logger_(std::move(logger)) {}

  Publisher& publish(std::string_view topic, Durability durability, storage::Store* store) override {
    const auto [other, first] = state_.publisher_of.emplace(topic, plugin_);
    if (!first)
      state_.faults.push_back("topic '" + std::string(topic) + "' is published by " + other->second + " and by " +
                              plugin_);
    Outbox& outbox = state_.outbox_of(store);
    Counter& published = metrics_.counter("log_published_total", "Records published", {{"topic", std::string(topic)}});
    Outbox::Topic& declared = outbox.declare(topic, durability, published);
    return *state_.publishers.emplace_back(std::make_unique<OutboxPublisher>(outbox, declared));
  }

  Consumer& consume(ConsumeOptions options, storage::Store& store, ConsumeHandler handler) override {
    state_.outbox_of(&store).keep_positions();
    auto runner = std::make_unique<ConsumeRunner>(std::move(options), store, std::move(handler), state_.clock, metrics_,
                                                  logger_.part("log"));
    ConsumeRunner& consumer = *runner;
    state_.consumers.push_back({plugin_, std::move(runner)});
    return consumer;
  }

  Tail& tail(TailOptions options, TailHandler handler) override {
    auto runner = std::make_unique<TailRunner>(std::move(options), std::move(handler), state_.clock, metrics_,
                                               logger_.part("log"));
    TailRunner& tail = *runner;
    state_.tails.push_back({plugin_, std::move(runner)});
    return tail;
  }

 private:
  State& state_;
  const std::string plugin_;
  Metrics& metrics_;
  const Logger logger_;
};

bool Runtime::State::is_asked(std::string_view topic) const {
  return std::find(asked_topics.begin(), asked_topics.end(), topic) != asked_topics.end();
}

/// A transport between processes cannot tell a topic that nobody publishes from one that is not there yet.
bool Runtime::State::is_published(std::string_view topic) const {
  return !head_asker || publisher_of.contains(topic) || is_asked(topic);
}

void Runtime::State::subscribe(Transport& transport, Owned& subscription) {
  Runner& runner = *subscription.runner;
  if (!is_published(runner.topic())) return note_missing(runner.topic(), subscription.plugin);
  auto feed = transport.subscribe(runner.topic(), runner.group());
  if (feed) {
    runner.attach(std::move(*feed));
  } else if (feed.error().code == ErrorCode::not_found) {
    note_missing(runner.topic(), subscription.plugin);
  } else {
    faults.push_back(subscription.plugin + " cannot follow topic '" + runner.topic() + "': " + feed.error().text);
  }
}

void Runtime::State::note_missing(std::string_view topic, const std::string& plugin) {
  auto it = std::find_if(missing.begin(), missing.end(), [&](const MissingTopic& m) { return m.topic == topic; });
  if (it == missing.end()) it = missing.insert(it, MissingTopic{std::string(topic), {}});
  it->wanted_by.push_back(plugin);
  logger.warning("nobody publishes a topic that is followed", {{"topic", topic}, {"plugin", plugin}});
}

Runtime::Runtime(Clock& clock, Random& random, Logger logger, RuntimeOptions options)
    : state_(std::make_unique<State>(clock, random, std::move(logger), options)) {}

Runtime::~Runtime() { stop(); }

Log& Runtime::for_plugin(std::string_view plugin, Metrics& metrics, Logger logger) {
  const auto it = state_->logs.find(plugin);
  if (it != state_->logs.end()) return *it->second;
  auto log = std::make_unique<State::PluginLog>(*state_, std::string(plugin), metrics, std::move(logger));
  return *state_->logs.emplace(plugin, std::move(log)).first->second;
}

storage::CommitHook* Runtime::hook(storage::Store* handle) { return &state_->outbox_of(handle); }

void Runtime::set_head_asker(std::vector<std::string> topics, HeadAsker asker) {
  state_->asked_topics = std::move(topics);
  state_->head_asker = std::move(asker);
}

std::vector<OwnHead> Runtime::own_heads(const std::vector<std::string>& topics) const {
  std::vector<OwnHead> heads;
  for (const auto& [store, outbox] : state_->outboxes) {
    if (outbox->lanes().none()) continue;  // others write them, and know
    for (const std::string& topic : outbox->topics()) {
      if (std::find(topics.begin(), topics.end(), topic) == topics.end()) continue;
      heads.push_back({topic, outbox->epoch(), outbox->head(topic)});
    }
  }
  return heads;
}

Result<NewHistories> Runtime::begin_histories(Transport& transport, Instant until) {
  NewHistories begun;
  std::vector<Source*> sources;
  for (const auto& [store, outbox] : state_->outboxes) {
    if (!outbox->has_topics()) continue;
    sources.push_back(outbox.get());
    if (!outbox->is_durable()) continue;
    const std::string before = outbox->epoch();
    BACKPLANE_CHECK(outbox->begin_history());
    const std::vector<std::string> topics = outbox->durable_topics();
    begun.logs.push_back({state_->publisher_of[topics.front()], topics});
    for (Owned& consumer : state_->consumers) {
      const std::string& topic = consumer.runner->topic();
      if (std::find(topics.begin(), topics.end(), topic) == topics.end()) continue;
      BACKPLANE_TRY(goes_on, static_cast<ConsumeRunner&>(*consumer.runner)
                                 .enter_history(before, outbox->epoch(), outbox->stored_head(topic)));
      if (goes_on) begun.groups.push_back({consumer.plugin, topic, consumer.runner->group(), *goes_on});
    }
  }
  BACKPLANE_CHECK(transport.carry_all(sources, until));
  for (const auto& [store, outbox] : state_->outboxes) outbox->flush();
  return begun;
}

Result<void> Runtime::start(Transport& transport) {
  if (std::exchange(state_->started, true)) return internal_error("the log was started before");
  for (const auto& [store, outbox] : state_->outboxes)
    if (outbox->has_topics()) transport.add_source(*outbox);
  for (Owned& consumer : state_->consumers) state_->subscribe(transport, consumer);
  for (Owned& tail : state_->tails) {
    state_->subscribe(transport, tail);
    if (state_->is_asked(tail.runner->topic()))
      static_cast<TailRunner&>(*tail.runner).set_head_asker(state_->head_asker);
  }
  if (!state_->faults.empty()) {
    std::string text;
    for (const std::string& fault : state_->faults) text += (text.empty() ? "" : "; ") + fault;
    return conflict("log_wiring", std::move(text));
  }
  BACKPLANE_CHECK(transport.start());
  state_->running = true;
  for (Owned& consumer : state_->consumers) consumer.runner->load();  // tails may begin where these have come to
  for (Owned& tail : state_->tails) tail.runner->start();
  for (Owned& consumer : state_->consumers) consumer.runner->start();
  return {};
}

const std::vector<MissingTopic>& Runtime::missing_topics() const { return state_->missing; }

bool Runtime::stop_consumers(Instant deadline) {
  for (Owned& consumer : state_->consumers) consumer.runner->request_stop();
  return std::all_of(state_->consumers.begin(), state_->consumers.end(),
                     [deadline](Owned& consumer) { return consumer.runner->wait_stopped(deadline); });
}

void Runtime::stop() {
  if (!std::exchange(state_->running, false)) return;
  for (Owned& consumer : state_->consumers) consumer.runner->request_stop();
  for (Owned& tail : state_->tails) tail.runner->request_stop();
  for (Owned& consumer : state_->consumers) consumer.runner->stop();
  for (Owned& tail : state_->tails) tail.runner->stop();
  for (const auto& [store, outbox] : state_->outboxes) {
    outbox->set_listener(nullptr);
    outbox->flush();
  }
}

}  // namespace backplane::log
