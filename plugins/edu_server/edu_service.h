// edu_server's implementation of api::EduServer: binds each method to the verb that answers it. Any thread.
#pragma once

#include "backplane/api/edu_server.h"
#include "backplane/api/room_server.h"
#include "backplane/plugin/plugin.h"
#include "store.h"
#include "typing/typing.h"

namespace backplane::edu_server {

struct Settings {
  Duration typing_timeout{};
  Duration transaction_lifetime{};
};

struct Publishers {
  log::Publisher& typing;
  log::Publisher& receipts;
  log::Publisher& send_to_device;
};

class EduService {
 public:
  EduService(plugin::Host& host, const Settings& settings, storage::Store& store, Publishers publishers,
             const api::RoomServer& rooms, const api::UserApi& users);
  EduService(const EduService&) = delete;
  EduService& operator=(const EduService&) = delete;

  api::EduServer& interface() { return interface_; }
  /// Forgets transactions that are too old to be repeated.
  void forget_transactions();

 private:
  Result<void> check_joined(const api::CallContext& context, const RoomId& room, const UserId& user) const;
  Result<api::Nothing> set_typing(const api::CallContext& context, const api::SetTypingRequest& request);
  Result<api::PositionResponse> submit_receipt(const api::CallContext& context,
                                               const api::SubmitReceiptRequest& request);
  Result<api::PositionResponse> send_to_device(const api::CallContext& context,
                                               const api::SendToDeviceRequest& request);
  /// One record for every device that is meant and exists.
  Result<std::vector<api::SendToDeviceRecord>> address(const api::CallContext& context,
                                                       const api::SendToDeviceRequest& request) const;

  plugin::Host& host_;
  Settings settings_;
  storage::Store& store_;
  Publishers publishers_;
  const api::RoomServer& rooms_;
  const api::UserApi& users_;
  Typing typing_;
  api::EduServer interface_;
};

}  // namespace backplane::edu_server
