// How far the logs of a host have come: what makes a reader on another host sure that it sees what was written before
// it asked (log::Tail::ask_head). Every host of a server provides it to the others; no plugin does.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backplane/api/method.h"
#include "backplane/base/export.h"
#include "backplane/base/fields.h"

namespace backplane::api {

struct ListHeadsRequest {
  std::vector<std::string> topics;
};
BACKPLANE_FIELDS(ListHeadsRequest, topics);

struct TopicHead {
  std::string topic;
  std::string epoch;
  std::string positions;  ///< log::Positions, encoded
};
BACKPLANE_FIELDS(TopicHead, topic, epoch, positions);

struct ListHeadsResponse {
  std::vector<TopicHead> heads;
};
BACKPLANE_FIELDS(ListHeadsResponse, heads);

struct BACKPLANE_API LogHeads : Interface {
  static constexpr std::string_view interface_id = "backplane.log_heads/1";
  LogHeads();
  ~LogHeads() override;
  /// The heads of those of the topics that the host publishes, from memory. Deferred, so that several hosts can be
  /// asked at once.
  DeferredMethod<ListHeadsRequest, ListHeadsResponse> list_heads{*this, "list_heads", {.repeatable = true}};
};

}  // namespace backplane::api
