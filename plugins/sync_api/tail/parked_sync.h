// One /sync that waits. 10,000 of them are usual: keep it small.
#pragma once

#include <atomic>
#include <string>

#include "backplane/http/routes.h"
#include "backplane/plugin/plugin.h"
#include "filter.h"
#include "tail/user_stream.h"

namespace backplane::sync_api {

struct ParkedSync {
  ParkedSync(http::Responder r, UserPtr u, DeviceId d, FilterPtr f, std::string s)
      : responder(std::move(r)), user(std::move(u)), device(std::move(d)), filter(std::move(f)), since(std::move(s)) {}
  http::Responder responder;
  UserPtr user;  ///< changed with the model's mutex held
  DeviceId device;
  FilterPtr filter;
  std::string since;  ///< encoded: parsed again when something comes. Written by who took the poll out.
  std::atomic<plugin::TimerId> timer{0};
  std::atomic<bool> expired{false};  ///< answer it whatever there is
  bool use_state_after = false;
};
using ParkedPtr = std::shared_ptr<ParkedSync>;

}  // namespace backplane::sync_api
