// Records of account data, receipts, messages to devices and typing into memory.
#include <algorithm>

#include "tail/parked_sync.h"
#include "tail/read_model_lock.h"

namespace backplane::sync_api {

namespace {

template <class T>
std::vector<ParsedPtr<T>> parse_batch(const log::Batch& batch, const Logger& log) {
  std::vector<ParsedPtr<T>> records;
  records.reserve(batch.records.size());
  for (const log::RecordPtr& raw : batch.records) {
    auto record = parse_record<T>(*raw);
    if (record) {
      records.push_back(std::move(*record));
    } else {
      log.error("unreadable record", {{"topic", raw->topic}, {"key", raw->key}, {"error", record.error().text}});
    }
  }
  return records;
}

}  // namespace

void ReadModel::apply_client_data(const log::Batch& batch) {
  const auto records = parse_batch<api::ClientDataRecord>(batch, log_);
  Woken woken;
  woken.indexed = topics_.indexed_client_data->position();
  std::unique_lock lock(mutex_);
  if (loading_ == 0) recent_client_data_.prune(woken.indexed);
  for (const auto& record : records) {
    recent_client_data_.add(record);
    const auto user = users_.find(record->data.user);
    if (user == users_.end()) continue;
    apply_account_data(*user->second, *record);
    user->second->relevant.client_data.advance(record->position);
    woken.users.insert(user->second.get());
  }
  applied_.client_data.merge(batch.after);
  finish(woken, lock);
}

void ReadModel::apply_account_data(UserStream& user, const ClientDataRecord& record) const {
  auto& kept = user.account_data[{record.data.room, record.data.type}];
  if (kept.content != nullptr && kept.position.sequence >= record.position.sequence) return;
  kept = {record.position, std::make_shared<const std::string>(record.data.content.text)};
}

void ReadModel::apply_receipts(const log::Batch& batch) {
  const auto records = parse_batch<api::ReceiptRecord>(batch, log_);
  Woken woken;
  woken.indexed = topics_.indexed_receipts->position();
  std::unique_lock lock(mutex_);
  if (loading_ == 0) recent_receipts_.prune(woken.indexed);
  for (const auto& record : records) {
    recent_receipts_.add(record);
    const auto found = rooms_.find(record->data.room_id);
    if (found == rooms_.end()) continue;
    Room& room = *found->second;
    if (room.tail) room.tail->apply_receipt(*record);
    if (record->position.sequence > room.last_receipt.sequence) room.last_receipt = record->position;
    for (UserStream* user : room.active) {
      // Spec: a private receipt is for its user alone.
      if (record->data.receipt_type == "m.read.private" && record->data.user != user->user) continue;
      user->relevant.receipts.advance(record->position);
      woken.users.insert(user);
    }
  }
  applied_.receipts.merge(batch.after);
  finish(woken, lock);
}

void ReadModel::apply_to_device(const log::Batch& batch) {
  const auto records = parse_batch<api::SendToDeviceRecord>(batch, log_);
  Woken woken;
  woken.indexed = topics_.indexed_to_device->position();
  std::unique_lock lock(mutex_);
  if (loading_ == 0) recent_to_device_.prune(woken.indexed);
  for (const auto& record : records) {
    recent_to_device_.add(record);
    const auto user = users_.find(record->data.user);
    if (user == users_.end()) continue;
    const auto device = user->second->devices.find(record->data.device);
    if (device != user->second->devices.end() && device->second->loaded && device->second->complete) {
      DeviceStream& stream = *device->second;
      // What was loaded from the index may be ahead of this tail, right after a start.
      const bool has_it = stream.acknowledged.covers(record->position) ||
                          (!stream.messages.empty() && stream.messages.back().position >= record->position);
      if (!has_it) {
        stream.messages.push_back(
            {record->position, std::make_shared<const std::string>(store::to_device_body(record->data))});
      }
    }
    user->second->relevant.send_to_device.advance(record->position);
    woken.users.insert(user->second.get());
  }
  applied_.send_to_device.merge(batch.after);
  finish(woken, lock);
}

void ReadModel::apply_typing(const log::Batch& batch) {
  const auto records = parse_batch<api::TypingRecord>(batch, log_);
  Woken woken;
  std::unique_lock lock(mutex_);
  for (const auto& record : records) {
    typing_[record->data.room_id] = {record->data.users, record->position, clock_.now()};
    const auto found = rooms_.find(record->data.room_id);
    if (found == rooms_.end()) continue;
    for (UserStream* user : found->second->active) {
      user->relevant.typing.advance(record->position);
      woken.users.insert(user);
    }
  }
  applied_.typing.merge(batch.after);
  finish(woken, lock);
}

RoomRecordPtr ReadModel::recent_room(log::Position position) const {
  const Lock lock(*this);
  return recent_rooms_.find(position);
}
ParsedPtr<api::ClientDataRecord> ReadModel::recent_client_data(log::Position position) const {
  const Lock lock(*this);
  return recent_client_data_.find(position);
}
ParsedPtr<api::ReceiptRecord> ReadModel::recent_receipt(log::Position position) const {
  const Lock lock(*this);
  return recent_receipts_.find(position);
}
ParsedPtr<api::SendToDeviceRecord> ReadModel::recent_to_device(log::Position position) const {
  const Lock lock(*this);
  return recent_to_device_.find(position);
}

bool ReadModel::is_acknowledged(const ToDeviceRecord& record) const {
  const Lock lock(*this);
  const auto user = users_.find(record.data.user);
  if (user == users_.end()) return false;
  const auto device = user->second->devices.find(record.data.device);
  return device != user->second->devices.end() && device->second->acknowledged.covers(record.position);
}

}  // namespace backplane::sync_api
