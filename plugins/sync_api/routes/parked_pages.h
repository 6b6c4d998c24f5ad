// Pages of /messages that wait for history from other servers. One waits for a while, at most half of the time that its
// request has: whoever does not answer is not waited for longer, and the page is answered with what is here.
//
// Any thread.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <unordered_set>

#include "backplane/api/room_server.h"
#include "backplane/base/gate.h"
#include "backplane/http/message.h"
#include "backplane/plugin/plugin.h"

namespace backplane::sync_api {

class ParkedPages {
 public:
  /// What a page goes on with: whether there is history that was not here before. May wait for the disk.
  using GoOn = std::function<void(bool came)>;

  ParkedPages(plugin::Host& host, const api::RoomServer& rooms) : host_(host), rooms_(rooms) {}

  /// Has history fetched. `go_on` is called once: within this call, where nobody has to be waited for.
  void wait(const http::Request& request, const api::BackfillRequest& wanted, GoOn go_on);
  /// All go on with what is here, and none waits any more.
  void drain();
  /// drain(), and none is under way.
  void stop();

 private:
  struct Page;
  using PagePtr = std::shared_ptr<Page>;
  /// Whether it is the caller's to go on with. Until then the page holds the gate open; afterwards a late answer has
  /// nothing of the plugin to go by.
  bool take(const PagePtr& page);
  static void go_on(const PagePtr& page, bool came);

  plugin::Host& host_;
  const api::RoomServer& rooms_;
  Gate gate_;
  std::mutex mutex_;
  bool draining_ = false;
  std::unordered_set<PagePtr> pages_;
};

}  // namespace backplane::sync_api
