// An interface that plays another server: its only method is deferred, and nobody ever answers it.
#pragma once

#include "backplane/api/method_description.h"

struct Stuck : backplane::api::Interface {
  static constexpr std::string_view interface_id = "org.example.stuck/1";
  Stuck() : Interface(interface_id) {}
  backplane::api::DeferredMethod<backplane::api::Nothing, backplane::api::Nothing> wait{*this, "wait"};
};
