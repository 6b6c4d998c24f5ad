// The log layer of one host: what the plugins publish, consume and tail meets the transport here. For the host, and
// for tests that play one.
//
//   Runtime runtime(clock, random, logger);
//   plugin.wire(…)                      // the plugin's Wiring::log() answers runtime.for_plugin(…)
//   open_store(…, runtime.hook(&handle))  // every store, after all plugins are wired
//   runtime.start(transport);           // when stores are open and hard needs can be called
//   …
//   runtime.stop_consumers(deadline);   // in drain: nothing new is handled
//   runtime.stop();                     // stores are still open
//   transport.stop();
//
// A Store& that a plugin gets during wire() is a handle: its address says which store is meant, and it is first used
// after the store was opened. The runtime outlives the plugins, and everything that for_plugin() answered.
// wire() and the calls above are one thread's; publishers, tails and consumers are any thread's.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/clock.h"
#include "backplane/base/logger.h"
#include "backplane/base/metrics.h"
#include "backplane/base/random.h"
#include "backplane/log/log.h"
#include "backplane/log/transport.h"
#include "backplane/storage/commit_hook.h"

namespace backplane::log {

struct RuntimeOptions {
  std::size_t ring_bytes = 8 * 1024 * 1024;            ///< recent records in memory, for each store that publishes
  Duration upkeep_interval = std::chrono::seconds(2);  ///< how often a commit also trims, at most
};

/// A topic that somebody here follows and nobody publishes.
struct MissingTopic {
  std::string topic;
  std::vector<std::string> wanted_by;  ///< plugins
};

/// How far a topic that this process publishes has come.
struct OwnHead {
  std::string topic;
  std::string epoch;
  Positions positions;
};

/// A log that has begun another history.
struct NewHistory {
  std::string plugin;
  std::vector<std::string> topics;
};
/// What that means to a group that had a position.
struct GroupInHistory {
  std::string plugin, topic, group;
  bool goes_on = false;  ///< else it loads a snapshot, or begins at the end where there is none
};
struct NewHistories {
  std::vector<NewHistory> logs;
  std::vector<GroupInHistory> groups;
};

/// Asks the hosts that publish a topic for their heads, and answers what all of them have come to.
using HeadAsker = std::function<Result<Positions>(std::string_view topic, Instant until)>;

class BACKPLANE_API Runtime {
 public:
  Runtime(Clock& clock, Random& random, Logger logger, RuntimeOptions options = {});
  /// Stops.
  ~Runtime();
  Runtime(const Runtime&) = delete;
  Runtime& operator=(const Runtime&) = delete;

  /// The registration object of a plugin; the same for the same name.
  Log& for_plugin(std::string_view plugin, Metrics& metrics, Logger logger);
  /// What open_store() takes for the store that `handle` stands for: never nullptr. Call it for every store, when all
  /// plugins are wired.
  storage::CommitHook* hook(storage::Store* handle);
  /// Tails of these topics, which other hosts publish (too, or alone), ask for heads with it. Before start(); it is
  /// used until stop().
  void set_head_asker(std::vector<std::string> topics, HeadAsker asker);
  /// Those of the topics that are published here; from memory. After start(), any thread.
  std::vector<OwnHead> own_heads(const std::vector<std::string>& topics) const;
  /// For a command that runs when databases were restored, with all stores of the server open, instead of start().
  /// Every log begins another history, so that nobody takes what will be written for what was written after the backup.
  /// Groups whose database is not newer than the log's go on in it. What the outboxes hold is then carried to where
  /// other processes read it, until the instant at most. It may be done again after an error.
  Result<NewHistories> begin_histories(Transport& transport, Instant until);
  /// Gives the transport all sources, subscribes, starts it, asks tails where to
  /// begin, and starts the runners. An error lists every fault; a topic without a publisher is none (see
  /// missing_topics()). The transport lives until stop().
  Result<void> start(Transport& transport);
  /// After start(). Their subscriptions stay silent.
  const std::vector<MissingTopic>& missing_topics() const;
  /// Ends consumers after what they are doing; false when some were still at it at the deadline.
  bool stop_consumers(Instant deadline);
  /// Ends every runner and waits for them. Publishing goes on to work. Calling it again does nothing.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace backplane::log
