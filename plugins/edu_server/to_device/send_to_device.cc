#include "edu_service.h"

namespace backplane::edu_server {

Result<std::vector<api::SendToDeviceRecord>> EduService::address(const api::CallContext& context,
                                                                 const api::SendToDeviceRequest& request) const {
  std::vector<api::SendToDeviceRecord> records;
  const ServerName server(host_.server_name());
  for (const auto& [name, by_device] : request.messages) {
    for (const auto& [device, content] : by_device) {
      if (!content.text.starts_with('{')) return invalid("bad_json", "the message for " + name + " is not an object");
    }
  }
  for (const auto& [name, by_device] : request.messages) {
    BACKPLANE_TRY(user, matrix::parse_user_id(name));
    if (!matrix::is_on_server(user.view(), server)) continue;  // federation_sender's to carry, once there is one
    BACKPLANE_TRY(known, users_.list_devices(context, {user}));
    for (const auto& [wanted, content] : by_device) {
      for (const api::Device& device : known.devices) {
        if (wanted != "*" && wanted != device.device_id.view()) continue;
        records.push_back({user, device.device_id, request.sender, request.type, content});
      }
    }
  }
  return records;
}

Result<api::PositionResponse> EduService::send_to_device(const api::CallContext& context,
                                                         const api::SendToDeviceRequest& request) {
  BACKPLANE_TRY(records, address(context, request));
  return store_.write([&](storage::Write& write) -> api::PositionResponse {
    if (request.key.present()) {
      if (const auto earlier = store::find_transaction(write, request.key)) return {*earlier};
    }
    log::Position last;
    for (const api::SendToDeviceRecord& record : records)
      last = publishers_.send_to_device.publish(write, record.user.view(), to_json(record));
    if (request.key.present()) store::insert_transaction(write, request.key, last, host_.clock().wall_ms());
    return {last};
  });
}

void EduService::forget_transactions() {
  const auto lifetime = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.transaction_lifetime).count();
  const std::int64_t before_ms = host_.clock().wall_ms() - lifetime;
  store_.submit(
      [before_ms](storage::Write& write) -> Result<void> {
        store::delete_transactions(write, before_ms);
        return {};
      },
      [](const Result<void>&) {});
}

}  // namespace backplane::edu_server
