#include "in_process_transport.h"

#include <utility>

#include "in_process_feed.h"

namespace backplane::log_in_process {

InProcessTransport::InProcessTransport(Clock& clock, Logger logger, InProcessSettings settings)
    : clock_(clock), logger_(std::move(logger)), settings_(settings) {}

InProcessTransport::~InProcessTransport() { stop(); }

void InProcessTransport::add_source(log::Source& source) {
  sources_.push_back(&source);
  for (std::string& topic : source.topics()) {
    topics_.push_back(
        std::make_shared<TopicState>(source, std::move(topic), clock_, logger_, settings_.disabled_group_retention));
  }
}

std::shared_ptr<TopicState> InProcessTransport::find(std::string_view topic) const {
  for (const auto& state : topics_)
    if (state->name == topic) return state;
  return nullptr;
}

Result<std::unique_ptr<log::Feed>> InProcessTransport::subscribe(std::string_view topic, std::string_view group) {
  auto state = find(topic);
  if (state == nullptr)
    return not_found("no_such_topic", "no plugin of this process publishes topic '" + std::string(topic) + "'");
  if (!group.empty() && state->has_group(group))
    return conflict("group_in_use",
                    "group '" + std::string(group) + "' consumes topic '" + std::string(topic) + "' twice");
  return std::unique_ptr<log::Feed>(
      std::make_unique<InProcessFeed>(std::move(state), std::string(group), settings_.poll_limit));
}

Result<void> InProcessTransport::start() {
  if (std::exchange(started_, true)) return {};
  for (const auto& topic : topics_) topic->load_groups();
  for (log::Source* source : sources_) {
    std::vector<std::shared_ptr<TopicState>> topics;
    for (const auto& topic : topics_)
      if (&topic->source == source) topics.push_back(topic);
    source->set_listener([topics = std::move(topics)] {
      for (const auto& topic : topics) topic->notify();
    });
  }
  return {};
}

void InProcessTransport::stop() {
  if (!std::exchange(started_, false)) return;
  for (log::Source* source : sources_) source->set_listener(nullptr);
}

}  // namespace backplane::log_in_process
