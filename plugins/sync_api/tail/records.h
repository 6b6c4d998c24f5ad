// Records of the topics as this plugin keeps them in memory: parsed once, shared by the tail and the index.
#pragma once

#include <memory>
#include <string>

#include "backplane/api/edu_server.h"
#include "backplane/api/room_server.h"
#include "backplane/api/user_api.h"
#include "backplane/log/record.h"

namespace backplane::sync_api {

template <class T>
struct Parsed {
  T data;
  log::Position position;
};
template <class T>
using ParsedPtr = std::shared_ptr<const Parsed<T>>;

using RoomRecord = Parsed<api::RoomEventRecord>;
using RoomRecordPtr = ParsedPtr<api::RoomEventRecord>;
using ClientDataRecord = Parsed<api::ClientDataRecord>;
using ReceiptRecord = Parsed<api::ReceiptRecord>;
using ToDeviceRecord = Parsed<api::SendToDeviceRecord>;
using TypingRecord = Parsed<api::TypingRecord>;

/// Errors: invalid/bad_json for what is no record of that kind.
template <class T>
Result<ParsedPtr<T>> parse_record(const log::Record& record) {
  auto data = from_json<T>(record.payload);
  if (!data) return std::move(data).error();
  return std::make_shared<const Parsed<T>>(Parsed<T>{std::move(*data), record.position});
}

}  // namespace backplane::sync_api
