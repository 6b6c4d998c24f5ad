// The interfaces that room_server asks other servers by, as one other server would answer.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backplane/api/federation_sender.h"
#include "backplane/api/server_key_api.h"
#include "backplane/matrix/event.h"
#include "unit/sdk/matrix/room_graph.h"

namespace backplane::room_server {

/// Another server, which knows the whole graph, but for what a test takes from it.
struct FarServer {
  explicit FarServer(std::optional<matrix::RoomGraph>& g) : graph(g) {
    answer(federation.get_missing_events,
           [this](const api::GetMissingEventsRequest& request) { return missing_events(request); });
    answer(federation.get_backfill,
           [this](const api::GetBackfillRequest& request) { return history(request.from, request.limit); });
    answer(federation.get_event, [this](const api::GetRemoteEventRequest& request) { return event(request.event_id); });
    answer(federation.get_event_auth,
           [this](const api::GetRemoteStateRequest& request) { return bodies(auth_chain({request.event_id})); });
    answer(federation.get_state_ids, [this](const api::GetRemoteStateRequest& request) {
      const std::vector<EventId> state = state_before(request.event_id);
      api::GetRemoteStateIdsResponse response{state, auth_chain(state)};
      response.auth_chain.insert(response.auth_chain.end(), more_ids.begin(), more_ids.end());
      return Result(std::move(response));
    });
    answer(federation.get_state, [this](const api::GetRemoteStateRequest& request) {
      std::vector<EventId> all = state_before(request.event_id);
      for (EventId& event_id : auth_chain(all)) all.push_back(std::move(event_id));
      return bodies(all);
    });
    keys.verify_events.bind([this](const api::CallContext&, const api::VerifyEventsRequest& request,
                                   const api::Reply<api::VerifyEventsResponse>& reply) {
      if (verify_error) return (void)reply(*verify_error);
      api::VerifyEventsResponse response;
      for (const api::SignedEvent& signed_event : request.events) {
        const auto parsed = matrix::Event::parse_untrusted(signed_event.event.text,
                                                           *matrix::find_room_version(signed_event.room_version));
        EXPECT_FALSE(json::find_raw(signed_event.event.text, "unsigned"));
        if (parsed) verified.push_back(parsed->event_id());
        const bool is_forged = parsed && forged.contains(parsed->event_id());
        response.events.push_back({!is_forged, is_forged ? "the signature does not fit" : ""});
      }
      reply(std::move(response));
    });
  }

  template <class Request, class Response>
  void answer(api::DeferredMethod<Request, Response>& method, std::function<Result<Response>(const Request&)> make) {
    method.bind([this, name = std::string(method.name()), make](const api::CallContext&, const Request& request,
                                                                const api::Reply<Response>& reply) {
      asked.push_back(name + " " + request.destination.str());
      if (when_asked) when_asked();
      if (is_down) reply(unavailable("unreachable", "the server does not answer"));
      else if (holds) held.push_back([=] { reply(make(request)); });
      else reply(make(request));
    });
  }
  template <class Request, class Response, class Make>
  void answer(api::DeferredMethod<Request, Response>& method, Make make) {
    answer(method, std::function<Result<Response>(const Request&)>(std::move(make)));
  }

  Result<api::GetRemoteEventResponse> event(const EventId& event_id) {
    if (unknown.contains(event_id)) return not_found("", "no such event");
    // As nobody has to send it, but may.
    return api::GetRemoteEventResponse{
        {R"({ "unsigned": {"age": 4} ,)" + std::string(graph->find(event_id).event.json().substr(1))}};
  }
  Result<api::RemoteEventsResponse> bodies(const std::vector<EventId>& event_ids) {
    api::RemoteEventsResponse response;
    for (const EventId& event_id : event_ids) {
      if (auto body = event(event_id)) response.events.push_back(std::move(body->event));
    }
    return response;
  }
  /// Breadth first from the latest, oldest first.
  Result<api::RemoteEventsResponse> missing_events(const api::GetMissingEventsRequest& request) {
    const std::set<EventId> earliest(request.earliest_events.begin(), request.earliest_events.end());
    std::deque<EventId> to_visit(request.latest_events.begin(), request.latest_events.end());
    std::vector<EventId> found;
    while (!to_visit.empty() && found.size() < request.limit) {
      for (const EventId& prev : graph->find(to_visit.front()).event.prev_events()) {
        if (graph->find(prev).event.depth() < request.min_depth) continue;
        if (earliest.contains(prev) || std::ranges::find(found, prev) != found.end()) continue;
        found.push_back(prev);
        to_visit.push_back(prev);
      }
      to_visit.pop_front();
    }
    std::ranges::reverse(found);
    auto response = bodies(found);
    for (const std::string& text : more_events) response->events.push_back({text});
    return response;
  }
  /// Breadth first.
  Result<api::RemoteEventsResponse> history(const std::vector<EventId>& from, std::size_t limit) {
    std::vector<EventId> found = from;
    for (std::size_t i = 0; i < found.size() && found.size() < limit; ++i) {
      for (const EventId& prev : graph->find(found[i]).event.prev_events()) {
        if (std::ranges::find(found, prev) == found.end()) found.push_back(prev);
      }
    }
    return bodies(found);
  }
  std::vector<EventId> state_before(const EventId& event_id) {
    std::vector<EventId> state;
    for (const auto& [key, entry] : graph->resolve(graph->find(event_id).event.prev_events())) state.push_back(entry);
    return state;
  }
  std::vector<EventId> auth_chain(const std::vector<EventId>& of) {
    std::set<EventId> seen;
    std::vector<EventId> chain, to_visit = of;
    while (!to_visit.empty()) {
      const EventId event_id = std::move(to_visit.back());
      to_visit.pop_back();
      for (EventId& cited : graph->find(event_id).event.auth_events()) {
        if (!seen.insert(cited).second) continue;
        chain.push_back(cited);
        to_visit.push_back(std::move(cited));
      }
    }
    return chain;
  }
  /// Drops what it holds, and answers no more, as a federation_sender does that stops.
  void stop() {
    is_down = true;
    holds = false;
    std::exchange(held, {});
  }
  void release() {
    holds = false;
    for (const auto& reply : std::exchange(held, {})) reply();
  }

  std::optional<matrix::RoomGraph>& graph;
  api::FederationSender federation;
  api::ServerKeyApi keys;
  std::vector<std::string> asked;        ///< the methods, and whom
  std::set<EventId> unknown;             ///< what it does not answer
  std::set<EventId> forged;              ///< what is not signed as it should be
  std::vector<std::string> more_events;  ///< what it sends too
  std::vector<EventId> more_ids;         ///< what it says is in the auth chain of a state, too
  std::vector<EventId> verified;         ///< whose signatures were looked at
  std::optional<Error> verify_error;
  std::function<void()> when_asked;
  bool is_down = false;
  bool holds = false;
  std::vector<std::function<void()>> held;
};

}  // namespace backplane::room_server
