#include "index/indexers.h"

namespace backplane::sync_api {
namespace {

constexpr Duration snapshot_deadline = std::chrono::minutes(2);

/// How a topic's records become rows, inside the consumer's work.
template <class T>
struct Index {
  std::function<void(storage::Write&, const ParsedPtr<T>&)> add;
  std::function<void(storage::Write&)> reset;
  std::function<void()> begin;  ///< empty, or before and after the records of a batch
  std::function<void(storage::Write&)> write;
};

/// An index that is written a record at a time.
template <class T, class Add>
Index<T> index_each(Add add, std::function<void(storage::Write&)> reset) {
  return {[add](storage::Write& write, const ParsedPtr<T>& record) { add(write, *record); }, std::move(reset), {}, {}};
}

Index<api::RoomEventRecord> index_rooms() {
  const auto indexer = std::make_shared<store::RoomIndexer>();
  return {[indexer](storage::Write& write, const auto& record) { indexer->add(write, record); }, store::reset_rooms,
          [indexer] { indexer->begin(); }, [indexer](storage::Write& write) { indexer->write(write); }};
}

/// A producer's list_… method as the log's snapshot.
template <class ListMethod>
log::Snapshot snapshot_of(const ListMethod& list, std::string_view topic, Clock& clock) {
  return [&list, topic = std::string(topic), &clock](const log::Positions& after) -> Result<log::SnapshotPage> {
    const api::CallContext context{.deadline = clock.now() + snapshot_deadline};
    BACKPLANE_TRY(response, list(context, api::ListRecordsRequest{.after = after.encode()}));
    log::SnapshotPage page;
    page.last = response.last;
    page.records.reserve(response.records.size());
    for (api::SnapshotRecord& record : response.records) {
      page.records.push_back({.topic = topic,
                              .position = record.position,
                              .key = std::move(record.key),
                              .payload = std::move(record.payload.text)});
    }
    if (auto as_of = log::Positions::decode(response.as_of)) {
      page.as_of = std::move(*as_of);
    } else if (page.last) {
      return internal_error("the snapshot of " + topic + " does not say how far it goes");
    }
    return page;
  };
}

struct Wiring {
  log::Log& log;
  storage::Store& store;
  ReadModel& model;
  Clock& clock;
  Duration linger;
  Logger logger;

  /// Subscribes the index (with what memory has parsed already) and the memory to a topic.
  template <class T, class List, class Recent, class Apply>
  void topic(std::string_view name, log::Consumer*& consumer, log::Tail*& tail, const List& list, Recent recent,
             Index<T> index, Apply apply) {
    log::ConsumeOptions options{.topic = std::string(name),
                                .group = std::string(index_group),
                                .snapshot = snapshot_of(list, name, clock),
                                .reset =
                                    [&model = model, reset = std::move(index.reset)](storage::Write& write) {
                                      reset(write);
                                      model.forget_all();
                                    },
                                .restarted = [&model = model] { model.forget_all(); },
                                .begin_batch = std::move(index.begin),
                                .end_batch = std::move(index.write),
                                .linger = linger};
    consumer = &log.consume(std::move(options), store,
                            [&model = model, recent, add = std::move(index.add), logger = logger](
                                storage::Write& write, const log::Record& raw) {
                              ParsedPtr<T> record = (model.*recent)(raw.position);
                              if (record == nullptr) {
                                auto parsed = parse_record<T>(raw);
                                if (!parsed) {
                                  logger.error("unreadable record", {{"topic", raw.topic}, {"key", raw.key}});
                                  return log::Outcome::park;
                                }
                                record = std::move(*parsed);
                              }
                              add(write, record);
                              return log::Outcome::done;
                            });
    tail = &log.tail({.topic = std::string(name), .from = [consumer] { return consumer->position(); }},
                     [&model = model, apply](const log::Batch& batch) { (model.*apply)(batch); });
  }
};

}  // namespace

Subscriptions subscribe(log::Log& log, storage::Store& store, ReadModel& model, const Producers& producers,
                        Clock& clock, Duration linger, const Logger& logger) {
  Subscriptions s;
  Wiring wiring{log, store, model, clock, linger, logger};
  wiring.topic<api::RoomEventRecord>(api::room_events_topic, s.indexed_rooms, s.room_events,
                                     producers.rooms.list_room_events, &ReadModel::recent_room, index_rooms(),
                                     &ReadModel::apply_rooms);
  wiring.topic<api::ClientDataRecord>(
      api::client_data_topic, s.indexed_client_data, s.client_data, producers.users.list_client_data,
      &ReadModel::recent_client_data,
      index_each<api::ClientDataRecord>(store::index_client_data, store::reset_client_data),
      &ReadModel::apply_client_data);
  wiring.topic<api::ReceiptRecord>(
      api::receipts_topic, s.indexed_receipts, s.receipts, producers.edus.list_receipts, &ReadModel::recent_receipt,
      index_each<api::ReceiptRecord>(store::index_receipt, store::reset_receipts), &ReadModel::apply_receipts);
  // Messages to devices have no snapshot: what waits is here alone.
  log::ConsumeOptions to_device;
  to_device.topic = api::send_to_device_topic;
  to_device.group = index_group;
  to_device.linger = linger;
  to_device.reset = store::reset_to_device;
  s.indexed_to_device =
      &log.consume(std::move(to_device), store, [&model, logger](storage::Write& write, const log::Record& raw) {
        ParsedPtr<api::SendToDeviceRecord> record = model.recent_to_device(raw.position);
        if (record == nullptr) {
          auto parsed = parse_record<api::SendToDeviceRecord>(raw);
          if (!parsed) return log::Outcome::park;
          record = std::move(*parsed);
        }
        if (!model.is_acknowledged(*record)) store::index_to_device(write, *record);
        return log::Outcome::done;
      });
  s.send_to_device = &log.tail({.topic = std::string(api::send_to_device_topic),
                                .from = [consumer = s.indexed_to_device] { return consumer->position(); }},
                               [&model](const log::Batch& batch) { model.apply_to_device(batch); });
  s.typing = &log.tail({.topic = std::string(api::typing_topic), .from = {}},
                       [&model](const log::Batch& batch) { model.apply_typing(batch); });
  return s;
}

}  // namespace backplane::sync_api
