// backplane.edu_server: what is told but not kept in a room: typing, receipts, messages to devices. It publishes
// `typing` (volatile, by room), `receipts` (durable, by room) and `send_to_device` (durable, by user).
#pragma once

#include <map>
#include <string>
#include <vector>

#include "backplane/api/idempotency.h"
#include "backplane/api/method.h"
#include "backplane/api/user_api.h"
#include "backplane/log/position.h"
#include "backplane/matrix/ids.h"

namespace backplane::api {

struct SetTypingRequest {
  RoomId room_id;
  UserId user;
  bool typing = false;
  std::int64_t timeout_ms = 0;
};
BACKPLANE_FIELDS(SetTypingRequest, room_id, user, typing, timeout_ms);

struct SubmitReceiptRequest {
  RoomId room_id;
  UserId user;
  std::string receipt_type;  ///< m.read, m.read.private
  EventId event_id;
  std::string thread_id;  ///< empty: unthreaded
};
BACKPLANE_FIELDS(SubmitReceiptRequest, room_id, user, receipt_type, event_id, thread_id);

/// user → device (or `*`) → content
using DeviceMessages = std::map<std::string, std::map<std::string, json::Raw>>;
struct SendToDeviceRequest {
  UserId sender;
  std::string type;
  DeviceMessages messages;
  IdempotencyKey key;
};
BACKPLANE_FIELDS(SendToDeviceRequest, sender, type, messages, key);

struct ListTypingResponse {
  std::vector<UserId> users;
};
BACKPLANE_FIELDS(ListTypingResponse, users);
struct ListTypingRequest {
  RoomId room_id;
};
BACKPLANE_FIELDS(ListTypingRequest, room_id);

struct BACKPLANE_API EduServer : Interface {
  static constexpr std::string_view interface_id = "backplane.edu_server/1";
  EduServer();
  ~EduServer() override;

  /// Errors: denied/not_in_room.
  Method<SetTypingRequest, Nothing> set_typing{*this, "set_typing", {.repeatable = true}};
  /// Who types in a room now; for those who missed volatile records.
  Method<ListTypingRequest, ListTypingResponse> list_typing{*this, "list_typing", {.repeatable = true}};
  /// Errors: denied/not_in_room, invalid/invalid_param.
  Method<SubmitReceiptRequest, PositionResponse> submit_receipt{*this, "submit_receipt", {.repeatable = true}};
  Method<SendToDeviceRequest, PositionResponse> send_to_device{*this, "send_to_device", {.repeatable = true}};
  /// The snapshot of topic receipts.
  Method<ListRecordsRequest, ListRecordsResponse> list_receipts{*this, "list_receipts", {.repeatable = true}};
};

/// Topic typing, log 3: everyone who types in the room now.
struct TypingRecord {
  RoomId room_id;
  std::vector<UserId> users;
};
BACKPLANE_FIELDS(TypingRecord, room_id, users);
inline constexpr std::string_view typing_topic = "typing";

/// Topic receipts, log 3.
struct ReceiptRecord {
  RoomId room_id;
  UserId user;
  std::string receipt_type;
  EventId event_id;
  std::string thread_id;
  std::int64_t ts = 0;
};
BACKPLANE_FIELDS(ReceiptRecord, room_id, user, receipt_type, event_id, thread_id, ts);
inline constexpr std::string_view receipts_topic = "receipts";

/// Topic send_to_device, log 3; one record a message and device.
struct SendToDeviceRecord {
  UserId user;
  DeviceId device;
  UserId sender;
  std::string type;
  json::Raw content;
};
BACKPLANE_FIELDS(SendToDeviceRecord, user, device, sender, type, content);
inline constexpr std::string_view send_to_device_topic = "send_to_device";

}  // namespace backplane::api
