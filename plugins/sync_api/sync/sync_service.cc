#include "sync/sync_service.h"

#include <algorithm>

namespace backplane::sync_api {

namespace {

constexpr Duration look_deadline = std::chrono::seconds(30);
constexpr std::size_t polls_a_task = 8;  // enough to be worth a task, few enough that both cores work

}  // namespace

struct SyncService::Poll {
  UserPtr user;
  DeviceId device;
  FilterPtr filter;
  std::optional<SyncToken> since;
  Duration timeout{0};
  bool full_state = false;
  bool use_state_after = false;
};

Result<FilterPtr> Filters::get(const UserId& user, std::string_view text) {
  std::string key(text);
  const bool inline_json = text.starts_with('{');
  if (!inline_json && !text.empty()) key = user.str() + ' ' + key;
  if (auto kept = parsed_.find(key)) return kept;
  std::string body = "{}";
  if (inline_json) {
    body = text;
  } else if (!text.empty()) {
    BACKPLANE_TRY(found, store_.read([&](storage::Session& s) { return store::find_filter(s, user, text); }));
    if (!found) return invalid("invalid_param", "there is no filter of that id");
    body = std::move(*found);
  }
  BACKPLANE_TRY(filter, parse_filter(body));
  auto parsed = std::make_shared<const Filter>(std::move(filter));
  parsed_.insert(key, parsed, sizeof(Filter) + key.size() + 2 * body.size());
  return parsed;
}

SyncService::SyncService(plugin::Host& host, ReadModel& model, Assembler& assembler, storage::Store& store,
                         Logger logger, SyncOptions options)
    : host_(host), model_(model), assembler_(assembler), log_(std::move(logger)), options_(options), filters_(store) {}

void SyncService::handle(const http::Request& request, http::Responder responder) {
  const auto entry = gate_.enter();
  if (!entry) return refuse(request, responder);
  if (auto started = start(request, responder); !started) {
    responder.complete(http::Response::error(started.error()));
  }
}

void SyncService::refuse(const http::Request& request, const http::Responder& responder) {
  const auto since = SyncToken::decode(request.query("since").value_or(""));
  // As those who wait are answered: the client goes on at another host, or here after the start.
  if (since && request.query("full_state").value_or("false") == "false")
    responder.complete(http::Response::json(Assembler::nothing_new(since->encode())));
  else responder.complete(http::Response::error(unavailable("stopping", "the server is stopping")));
}

Result<SyncService::Poll> SyncService::read(const http::Request& request) {
  const api::Session& session = api::session_of(request);
  Poll poll;
  poll.device = session.device;
  BACKPLANE_TRY(timeout, request.query_integer("timeout"));
  poll.timeout = std::min<Duration>(
      std::chrono::milliseconds(std::clamp<std::int64_t>(timeout.value_or(0), 0, 86'400'000)), options_.max_timeout);
  BACKPLANE_TRY(full_state, request.query_boolean("full_state"));
  BACKPLANE_TRY(state_after, request.query_boolean("use_state_after"));
  poll.full_state = full_state.value_or(false);
  poll.use_state_after = state_after.value_or(false);
  if (const auto presence = request.query("set_presence");
      presence && *presence != "offline" && *presence != "online" && *presence != "unavailable") {
    return invalid("invalid_param", "set_presence must be offline, online or unavailable");
  }
  BACKPLANE_TRY(filter, filters_.get(session.user, request.query("filter").value_or("")));
  poll.filter = std::move(filter);
  if (const auto since = request.query("since"); since && !since->empty()) {
    poll.since = SyncToken::decode(*since);
    if (!poll.since) return invalid("invalid_param", "'since' is not a token that this server gave out");
  }
  return poll;
}

void SyncService::adopt(SyncToken& since) {
  // Typing is not kept over a restart: its positions begin anew.
  if (!model_.typing_reached(since.typing)) since.typing = {};
}

Result<void> SyncService::start(const http::Request& request, const http::Responder& responder) {
  BACKPLANE_TRY(poll, read(request));
  const Access access{true, api::context_of(request)};
  bool immediate = !poll.since || poll.full_state || poll.timeout <= Duration(0);
  const Instant until = host_.clock().now() + options_.follow_wait;
  model_.follow(until, immediate ? Follow::what_is_committed : Follow::what_is_known);
  // A token of another history, or of one that was lost when a backup was restored: the client begins again.
  BACKPLANE_TRY(epoch, model_.epoch(until));
  bool holds = !poll.since || poll.since->epoch == epoch;
  if (poll.since && holds) {
    BACKPLANE_TRY(reached, model_.reached(*poll.since, until));
    holds = reached;
  }
  if (!holds) {
    log_.info("a token is of another history: a sync from the beginning",
              {{"request", request.id.view()}, {"token", poll.since->encode()}, {"now", model_.now().encode()}});
    poll.since.reset();
  }
  if (poll.since) adopt(*poll.since);
  BACKPLANE_TRY(user, model_.user(access, api::session_of(request).user));
  poll.user = std::move(user);
  BACKPLANE_TRY(device, model_.device(access, poll.user, poll.device));
  if (poll.since) model_.acknowledge(poll.user, poll.device, poll.since->send_to_device);
  if (poll.filter->state.lazy_load_members) device->lazy.begin(poll.since ? poll.since->encode() : std::string());

  immediate = immediate || !poll.since;
  std::string next;
  if (poll.since && !poll.full_state && model_.nothing_after(poll.user, *poll.since)) {
    SyncToken now = model_.now();
    for (auto topic : {&SyncToken::room_events, &SyncToken::client_data, &SyncToken::receipts,
                       &SyncToken::send_to_device, &SyncToken::typing}) {
      (now.*topic).merge((*poll.since).*topic);
    }
    // Between the two looks something may have come: then the older token is the right one.
    next = model_.nothing_after(poll.user, *poll.since) ? now.encode() : poll.since->encode();
    if (immediate) {
      responder.complete(http::Response::json(Assembler::nothing_new(next)));
      return {};
    }
  } else {
    const SyncRequest ask{poll.user, poll.device, poll.since, poll.filter, poll.full_state, poll.use_state_after};
    BACKPLANE_TRY(made, assembler_.assemble(access, ask));
    if (immediate || !made.empty) {
      responder.complete(http::Response::json(std::move(made.body)));
      return {};
    }
    next = made.next.encode();
  }
  auto parked = std::make_shared<ParkedSync>(responder, std::move(poll.user), std::move(poll.device),
                                             std::move(poll.filter), std::move(next));
  parked->use_state_after = poll.use_state_after;
  park(parked, poll.timeout);
  return {};
}

void SyncService::park(const ParkedPtr& poll, Duration timeout) {
  const std::weak_ptr<ParkedSync> weak = poll;
  poll->timer = host_.timers().at(host_.clock().now() + timeout, [this, weak] {
    if (const ParkedPtr due = weak.lock()) expire(due);
  });
  poll->responder.on_abandoned([this, weak] {
    const ParkedPtr gone = weak.lock();
    if (gone == nullptr) return;
    host_.timers().cancel(gone->timer);
    gone->expired = true;
    model_.unpark(gone);
  });
  if (!model_.park(poll->user, poll)) look(poll, true);
}

void SyncService::wake(std::vector<ParkedPtr> polls) {
  for (std::size_t begin = 0; begin < polls.size(); begin += polls_a_task) {
    const auto end = std::min(begin + polls_a_task, polls.size());
    auto some = std::make_shared<std::vector<ParkedPtr>>(
        std::make_move_iterator(polls.begin() + static_cast<std::ptrdiff_t>(begin)),
        std::make_move_iterator(polls.begin() + static_cast<std::ptrdiff_t>(end)));
    const auto work = [this, some] {
      for (const ParkedPtr& poll : *some) look(poll, false);
    };
    if (!host_.cpu_executor().submit(work)) {
      for (const ParkedPtr& poll : *some) look_where_waiting_is_allowed(poll);
    }
  }
}

void SyncService::look_where_waiting_is_allowed(const ParkedPtr& poll) {
  // Timers that have not begun when the server stops are dropped: whoever waits for one is answered then.
  struct Turn {
    SyncService& service;
    ParkedPtr poll;
    ~Turn() {
      if (poll) service.answer(poll, Assembler::nothing_new(poll->since));
    }
  };
  const auto turn = std::make_shared<Turn>(*this, poll);
  host_.timers().at(host_.clock().now(), [this, turn] { look(std::exchange(turn->poll, nullptr), true); });
}

void SyncService::look(const ParkedPtr& poll, bool may_block) {
  const auto entry = gate_.enter();
  if (!entry) return answer(poll, Assembler::nothing_new(poll->since));
  for (;;) {
    if (poll->responder.completed()) return;
    const Instant deadline = host_.clock().now() + look_deadline;
    const Access access{may_block, api::CallContext{.deadline = deadline}};
    // The stream may have been forgotten meanwhile (the index began again).
    auto user = model_.user(access, poll->user->user);
    if (!user) {
      if (is_would_block(user.error())) return look_where_waiting_is_allowed(poll);
      return answer_error(poll, user.error());
    }
    const SyncRequest ask{*user,        poll->device, SyncToken::decode(poll->since),
                          poll->filter, false,        poll->use_state_after};
    // Another history than the poll's: the client finds out with its next request.
    const auto epoch = model_.epoch(host_.clock().now());
    if (!ask.since || !epoch || ask.since->epoch != *epoch) return answer(poll, Assembler::nothing_new(poll->since));
    auto made = assembler_.assemble(access, ask);
    if (!made) {
      if (is_would_block(made.error())) return look_where_waiting_is_allowed(poll);
      return answer_error(poll, made.error());
    }
    if (!made->empty || poll->expired || gate_.is_closed()) return answer(poll, std::move(made->body));
    poll->since = made->next.encode();
    if (model_.park(*user, poll)) break;
  }
  // Its time was over, or its client gone, while it was in nobody's hands.
  if (poll->expired && model_.unpark(poll)) answer(poll, Assembler::nothing_new(poll->since));
}

void SyncService::expire(const ParkedPtr& poll) {
  poll->expired = true;
  if (!model_.unpark(poll)) return;  // being looked at: it sees that it has expired
  answer(poll, Assembler::nothing_new(poll->since));
}

void SyncService::answer(const ParkedPtr& poll, std::string body) {
  host_.timers().cancel(poll->timer);
  poll->responder.complete(http::Response::json(std::move(body)));
}

void SyncService::answer_error(const ParkedPtr& poll, const Error& error) {
  log_.warning("a waiting sync failed", {{"error", error.text}});
  host_.timers().cancel(poll->timer);
  poll->responder.complete(http::Response::error(error));
}

void SyncService::drain() {
  gate_.close();  // first: nobody parks any more, and whoever looks for something to park on gives up
  for (const ParkedPtr& poll : model_.close()) answer(poll, Assembler::nothing_new(poll->since));
}

}  // namespace backplane::sync_api
