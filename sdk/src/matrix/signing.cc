#include "backplane/matrix/signing.h"

#include <sodium.h>

#include <algorithm>
#include <cstdlib>
#include <utility>

#include "backplane/base/encoding.h"

namespace backplane::matrix {
namespace {

static_assert(crypto_sign_ed25519_SEEDBYTES == SigningKey::seed_bytes);

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string_view take_word(std::string_view& line) {
  constexpr std::string_view space = " \t\r\n";
  line.remove_prefix(std::min(line.find_first_not_of(space), line.size()));
  const std::string_view word = line.substr(0, line.find_first_of(space));
  line.remove_prefix(word.size());
  return word;
}

Result<void> check_version(std::string_view version) {
  // Spec: Server-Server API, "Publishing Keys": a key's version matches [a-zA-Z0-9_].
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  };
  if (version.empty() || !std::all_of(version.begin(), version.end(), allowed)) {
    return invalid("bad_key_version", "the version of a signing key may have letters, digits and '_' only");
  }
  return {};
}

}  // namespace

SigningKey::SigningKey(std::string_view version, std::string_view seed) : key_id_("ed25519:") {
  if (sodium_init() < 0) std::abort();  // no source of randomness: nothing secure can be done
  key_id_ += version;
  std::array<std::uint8_t, crypto_sign_ed25519_PUBLICKEYBYTES> public_key{};
  static_assert(sizeof secret_ == crypto_sign_ed25519_SECRETKEYBYTES);
  crypto_sign_ed25519_seed_keypair(public_key.data(), secret_.data(), bytes_of(seed));
  public_key_ = base64({reinterpret_cast<const char*>(public_key.data()), public_key.size()});
}

SigningKey::SigningKey(SigningKey&& other) noexcept
    : key_id_(std::move(other.key_id_)), public_key_(std::move(other.public_key_)), secret_(other.secret_) {
  sodium_memzero(other.secret_.data(), other.secret_.size());
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  std::swap(key_id_, other.key_id_);
  std::swap(public_key_, other.public_key_);
  std::swap(secret_, other.secret_);
  return *this;
}

SigningKey::~SigningKey() { sodium_memzero(secret_.data(), secret_.size()); }

Result<SigningKey> SigningKey::generate(std::string_view version, Random& random) {
  BACKPLANE_CHECK(check_version(version));
  std::array<char, seed_bytes> seed{};
  random.fill(std::as_writable_bytes(std::span(seed)));
  SigningKey key(version, {seed.data(), seed.size()});
  sodium_memzero(seed.data(), seed.size());
  return key;
}

Result<SigningKey> SigningKey::from_seed(std::string_view version, std::string_view seed) {
  BACKPLANE_CHECK(check_version(version));
  if (seed.size() != seed_bytes) return invalid("bad_key", "the seed of an ed25519 key has 32 bytes");
  return SigningKey(version, seed);
}

Result<SigningKey> SigningKey::from_key_file_line(std::string_view line) {
  const std::string_view algorithm = take_word(line);
  const std::string_view version = take_word(line);
  auto seed = decode_base64(take_word(line));
  if (algorithm != "ed25519" || !seed) return invalid("bad_key", "a signing key has the form 'ed25519 version seed'");
  auto key = from_seed(version, *seed);
  sodium_memzero(seed->data(), seed->size());
  return key;
}

std::string SigningKey::key_file_line() const {
  std::string line = "ed25519 ";
  line += std::string_view(key_id_).substr(key_id_.find(':') + 1);
  line += ' ';
  line += base64({reinterpret_cast<const char*>(secret_.data()), seed_bytes});
  return line;
}

std::string SigningKey::sign(std::string_view bytes) const {
  std::array<std::uint8_t, crypto_sign_ed25519_BYTES> signature{};
  crypto_sign_ed25519_detached(signature.data(), nullptr, bytes_of(bytes), bytes.size(), secret_.data());
  return base64({reinterpret_cast<const char*>(signature.data()), signature.size()});
}

bool verify_signature(std::string_view bytes, std::string_view signature, std::string_view public_key) {
  const auto decoded_signature = decode_base64(signature);
  const auto decoded_key = decode_base64(public_key);
  return decoded_signature && decoded_key && decoded_signature->size() == crypto_sign_ed25519_BYTES &&
         decoded_key->size() == crypto_sign_ed25519_PUBLICKEYBYTES &&
         crypto_sign_ed25519_verify_detached(bytes_of(*decoded_signature), bytes_of(bytes), bytes.size(),
                                             bytes_of(*decoded_key)) == 0;
}

}  // namespace backplane::matrix
