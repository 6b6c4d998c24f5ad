#include "accounts/passwords.h"

#include <sodium.h>

#include <array>
#include <future>
#include <memory>

namespace backplane::user_api {
namespace {

/// Runs `work` on the executor and waits for what it answers.
template <class Work>
auto run_on(Executor& executor, Work work) -> Result<std::invoke_result_t<Work>> {
  auto task = std::make_shared<std::packaged_task<std::invoke_result_t<Work>()>>(std::move(work));
  auto answer = task->get_future();
  if (!executor.submit([task] { (*task)(); }))
    return unavailable("busy", "too many passwords are being checked; try again later");
  return answer.get();
}

}  // namespace

Result<std::string> Passwords::hash(const std::string& password) {
  auto hashed = run_on(executor_, [&]() -> std::string {
    std::array<char, crypto_pwhash_STRBYTES> out{};
    if (crypto_pwhash_str_alg(out.data(), password.data(), password.size(), cost_.passes, cost_.memory_bytes,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
      return {};
    return out.data();
  });
  if (hashed && hashed->empty()) return unavailable("memory", "there is not enough memory to hash a password");
  return hashed;
}

Result<bool> Passwords::verify(const std::string& hash, const std::string& password) {
  return run_on(executor_,
                [&] { return crypto_pwhash_str_verify(hash.c_str(), password.data(), password.size()) == 0; });
}

}  // namespace backplane::user_api
