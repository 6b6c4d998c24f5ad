#include "edu_service.h"

namespace backplane::edu_server {

Result<api::PositionResponse> EduService::submit_receipt(const api::CallContext& context,
                                                         const api::SubmitReceiptRequest& request) {
  if (request.receipt_type != "m.read" && request.receipt_type != "m.read.private") {
    return invalid("invalid_param", "a receipt's type is m.read or m.read.private");
  }
  BACKPLANE_CHECK(check_joined(context, request.room_id, request.user));
  const api::ReceiptRecord receipt{request.room_id,  request.user,      request.receipt_type,
                                   request.event_id, request.thread_id, host_.clock().wall_ms()};
  return store_.write([&](storage::Write& write) -> api::PositionResponse {
    if (store::find_receipt(write, request) == request.event_id) return {};  // nothing new to tell
    const log::Position position = publishers_.receipts.publish(write, request.room_id.view(), to_json(receipt));
    store::set_receipt(write, receipt, position);
    return {position};
  });
}

}  // namespace backplane::edu_server
