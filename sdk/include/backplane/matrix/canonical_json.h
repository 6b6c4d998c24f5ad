// Signed JSON objects (Appendices, "Signing JSON"): key responses, federation requests, third-party invites. Events
// are signed otherwise (event_hash.h). Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/base/json.h"
#include "backplane/matrix/ids.h"
#include "backplane/matrix/signing.h"

namespace backplane::matrix {

/// One entry of a `signatures` object.
struct Signature {
  std::string entity;  ///< who signed: a server, for keys of users a user id
  std::string key_id;  ///< `ed25519:…`
  std::string base64;
  bool operator==(const Signature&) const = default;
};

/// The bytes that a signature of the object covers: canonical, without `signatures` and `unsigned`.
BACKPLANE_API std::string signed_bytes(json::View object);
/// All that the object's `signatures` hold; entries of the wrong kind are left out.
BACKPLANE_API std::vector<Signature> signatures_of(json::View object);
/// The object in canonical form with one more signature.
BACKPLANE_API std::string sign_json(json::View object, std::string_view entity, const SigningKey& key);
/// Whether the object has a signature of the entity under the key id, and the key made it.
BACKPLANE_API bool verify_json(json::View object, std::string_view entity, std::string_view key_id,
                               std::string_view public_key);

}  // namespace backplane::matrix
