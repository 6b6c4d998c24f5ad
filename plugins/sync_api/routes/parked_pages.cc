#include "routes/parked_pages.h"

#include <algorithm>
#include <utility>

#include "backplane/api/session.h"

namespace backplane::sync_api {
namespace {

constexpr Duration max_wait = std::chrono::seconds(10);

/// The later one of the answer and of the return from the call goes on.
struct Call {
  std::atomic<int> left{2};
  bool came = false;
};

}  // namespace

struct ParkedPages::Page {
  Page(Gate::Entry e, GoOn g) : entry(std::move(e)), go_on(std::move(g)) {}
  Gate::Entry entry;
  GoOn go_on;
  std::atomic<bool> taken{false};
  std::atomic<plugin::TimerId> timer{0};
};

void ParkedPages::wait(const http::Request& request, const api::BackfillRequest& wanted, GoOn go_on_with) {
  const auto page = std::make_shared<Page>(gate_.enter(), std::move(go_on_with));
  {
    const std::lock_guard lock(mutex_);
    if (!draining_) pages_.insert(page);
    else page->taken = true;
  }
  if (page->taken) return go_on(page, false);

  const Instant now = host_.clock().now();
  api::CallContext context = api::context_of(request);
  context.deadline = now + std::min(max_wait, (request.deadline - now) / 2);
  const auto call = std::make_shared<Call>();
  rooms_.backfill(context, wanted, [this, page, call](Result<api::BackfillResponse> response) {
    const bool came = response && response->came;
    call->came = came;
    if (call->left.fetch_sub(1, std::memory_order_acq_rel) != 1 || !take(page)) return;
    // Not on the thread of who answers, which may be one that serves the network.
    const auto work = [page, came] { go_on(page, came); };
    if (!host_.worker_executor().submit(work)) work();
  });
  if (call->left.fetch_sub(1, std::memory_order_acq_rel) == 1) {
    if (take(page)) go_on(page, call->came);
    return;
  }
  page->timer = host_.timers().at(context.deadline, [this, weak = std::weak_ptr(page)] {
    const PagePtr due = weak.lock();
    if (due && take(due)) go_on(due, false);
  });
  if (page->taken) host_.timers().cancel(page->timer);
}

bool ParkedPages::take(const PagePtr& page) {
  if (page->taken.exchange(true)) return false;
  host_.timers().cancel(page->timer);
  const std::lock_guard lock(mutex_);
  pages_.erase(page);
  return true;
}

void ParkedPages::go_on(const PagePtr& page, bool came) {
  std::exchange(page->go_on, nullptr)(came);
  // The answer that has not come holds the page, which must not hold the gate.
  Gate::Entry() = std::move(page->entry);
}

void ParkedPages::drain() {
  std::unordered_set<PagePtr> pages;
  {
    const std::lock_guard lock(mutex_);
    draining_ = true;
    pages = pages_;
  }
  for (const PagePtr& page : pages) {
    if (take(page)) go_on(page, false);
  }
  gate_.close();
}

void ParkedPages::stop() {
  drain();
  gate_.close_and_wait(host_.clock(), host_.clock().now() + std::chrono::hours(1));
}

}  // namespace backplane::sync_api
