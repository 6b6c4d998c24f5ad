// edu_server's rows. Every function runs inside work of the plugin's Store.
#pragma once

#include <optional>
#include <string>

#include "backplane/api/edu_server.h"
#include "backplane/storage/store.h"

namespace backplane::edu_server::store {

void set_receipt(storage::Write& write, const api::ReceiptRecord& receipt, log::Position position);
/// The event that the user's receipt points at, if there is one.
std::optional<EventId> find_receipt(storage::Session& session, const api::SubmitReceiptRequest& request);
api::ListRecordsResponse list_receipts(storage::Session& session, std::uint64_t after, std::uint32_t limit);

/// Where an earlier request with this key was published.
std::optional<log::Position> find_transaction(storage::Session& session, const api::IdempotencyKey& key);
void insert_transaction(storage::Write& write, const api::IdempotencyKey& key, log::Position position,
                        std::int64_t now_ms);
void delete_transactions(storage::Write& write, std::int64_t before_ms);

}  // namespace backplane::edu_server::store
