// Ed25519 keys of servers. Users: room_server and federation_sender sign, server_key_api verifies. A key is constant
// once made: any thread may sign with it. Its secret is wiped when it is destroyed; it cannot be copied.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "backplane/base/export.h"
#include "backplane/base/random.h"
#include "backplane/base/result.h"

namespace backplane::matrix {

class BACKPLANE_API SigningKey {
 public:
  static constexpr std::size_t seed_bytes = 32;

  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&& other) noexcept;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;
  ~SigningKey();

  /// `version` is what follows `ed25519:` in the key id: letters, digits and '_'.
  /// Errors: invalid/bad_key_version.
  static Result<SigningKey> generate(std::string_view version, Random& random);
  /// Errors: invalid/bad_key_version, invalid/bad_key for a seed of another length than seed_bytes.
  static Result<SigningKey> from_seed(std::string_view version, std::string_view seed);
  /// One line of a key file as homeservers keep it: `ed25519 <version> <seed in unpadded base64>`. Errors as from_seed.
  static Result<SigningKey> from_key_file_line(std::string_view line);
  /// Holds the secret.
  std::string key_file_line() const;

  /// `ed25519:<version>`
  const std::string& key_id() const { return key_id_; }
  /// The verify key, in unpadded base64.
  const std::string& public_key() const { return public_key_; }
  /// The signature, in unpadded base64. About 20 µs.
  std::string sign(std::string_view bytes) const;

 private:
  SigningKey(std::string_view version, std::string_view seed);
  std::string key_id_;
  std::string public_key_;
  std::array<std::uint8_t, 64> secret_{};  ///< seed and public key, as libsodium wants it
};

/// Whether `signature` over `bytes` was made with the key; false too for what is no signature or no key. Both in
/// base64. About 50 µs.
BACKPLANE_API bool verify_signature(std::string_view bytes, std::string_view signature, std::string_view public_key);

}  // namespace backplane::matrix
