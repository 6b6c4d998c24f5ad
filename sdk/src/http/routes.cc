#include "backplane/http/routes.h"

#include <array>

namespace backplane::http {
namespace {

template <std::size_t Count, class Enum>
std::string_view name_of(const std::array<std::string_view, Count>& names, Enum value) {
  const auto index = static_cast<std::size_t>(value);
  return index < Count ? names[index] : std::string_view{};
}

}  // namespace

Responder::Channel::~Channel() = default;
Authenticator::~Authenticator() = default;
Routes::~Routes() = default;

std::string_view to_string(Surface surface) {
  constexpr std::array<std::string_view, 4> names{"client", "federation", "media", "internal"};
  return name_of(names, surface);
}

std::string_view to_string(RateClass rate) {
  constexpr std::array<std::string_view, 5> names{"none", "read", "write", "login", "registration"};
  return name_of(names, rate);
}

bool Responder::complete(Response response) const { return channel_->complete(std::move(response)); }

bool Responder::completed() const { return channel_->completed(); }

void Responder::on_abandoned(std::function<void()> gone) const { channel_->on_abandoned(std::move(gone)); }

}  // namespace backplane::http
