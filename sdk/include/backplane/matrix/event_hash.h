// Hashes and signatures of events (Server-Server API, "Signing Events"). Pure functions over canonical JSON, which
// they trust to be well-formed.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/encoding.h"
#include "backplane/base/export.h"
#include "backplane/matrix/canonical_json.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/room_version.h"
#include "backplane/matrix/signing.h"

namespace backplane::matrix {

/// Over all of the event but `unsigned`, `signatures` and `hashes`.
BACKPLANE_API Sha256 content_hash(std::string_view event);
/// Whether the event's hash is that of its content. Event::parse_untrusted() has redacted it where it was not.
BACKPLANE_API bool has_content_hash(const Event& event);
/// What signatures and the reference hash cover: the redacted event without `signatures` and `unsigned`.
BACKPLANE_API std::string signed_form(std::string_view event, const RoomVersion& version);
/// Server-Server API, "Calculating the reference hash for an event".
BACKPLANE_API Sha256 reference_hash(std::string_view event, const RoomVersion& version);
/// The id that an event of that reference hash has: `$` and the hash. For versions from 3 on.
BACKPLANE_API EventId event_id_of_hash(const Sha256& reference_hash, const RoomVersion& version);
/// The two in one.
BACKPLANE_API EventId reference_event_id(std::string_view event, const RoomVersion& version);

/// Everyone who signed the event.
BACKPLANE_API std::vector<Signature> signatures_of(const Event& event);
/// Who must have signed it for it to be taken: the sender's server (but for a third-party invite, which another
/// server may send), in room versions 1 and 2 the server of the event id, and from 8 on the server of the user who
/// authorised a restricted join. Without repetitions.
BACKPLANE_API std::vector<ServerName> required_signers(const Event& event);
/// Whether a key may vouch for an event (room version 5, "Signing key validity period"): until then any key that the
/// server has or had. All times in milliseconds; `now` is the receiver's.
BACKPLANE_API bool is_key_valid_for(const RoomVersion& version, std::int64_t origin_server_ts,
                                    std::int64_t valid_until_ts, std::int64_t now);
/// Whether a signature of that entity and key is on the event, and the key made it. `form` is signed_form, computed
/// once for all the signatures of an event.
BACKPLANE_API bool verify_event(const Event& event, std::string_view form, const ServerName& server,
                                std::string_view key_id, std::string_view public_key);
/// The event with one more signature, for invites and restricted joins that two servers sign.
BACKPLANE_API Event add_signature(const Event& event, const ServerName& server, const SigningKey& key);
/// Adds the content hash and a signature to the canonical JSON of an event that has neither, as in the templates that
/// other servers make for joins. Answers canonical JSON.
BACKPLANE_API std::string hash_and_sign(std::string_view event, const RoomVersion& version, const ServerName& server,
                                        const SigningKey& key);

}  // namespace backplane::matrix
