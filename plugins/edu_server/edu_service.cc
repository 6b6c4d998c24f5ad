#include "edu_service.h"

#include <algorithm>

namespace backplane::edu_server {

EduService::EduService(plugin::Host& host, const Settings& settings, storage::Store& store, Publishers publishers,
                       const api::RoomServer& rooms, const api::UserApi& users)
    : host_(host),
      settings_(settings),
      store_(store),
      publishers_(publishers),
      rooms_(rooms),
      users_(users),
      typing_(host.clock(), host.timers(), publishers.typing) {
  const auto to = [this](auto method) {
    return [this, method](const api::CallContext& context, const auto& request) {
      return (this->*method)(context, request);
    };
  };
  interface_.set_typing.bind(to(&EduService::set_typing));
  interface_.submit_receipt.bind(to(&EduService::submit_receipt));
  interface_.send_to_device.bind(to(&EduService::send_to_device));
  interface_.list_typing.bind(
      [this](const api::CallContext&, const api::ListTypingRequest& request) -> Result<api::ListTypingResponse> {
        return api::ListTypingResponse{typing_.list(request.room_id)};
      });
  interface_.list_receipts.bind(
      [this](const api::CallContext&, const api::ListRecordsRequest& request) -> Result<api::ListRecordsResponse> {
        const auto after = log::Positions::decode(request.after);
        if (!after) return invalid("invalid_param", "'after' is no position");
        return store_.read([&](storage::Session& session) {
          auto page = store::list_receipts(session, after->base(), std::max<std::uint32_t>(request.limit, 1));
          page.as_of = publishers_.receipts.head(session).encode();
          return page;
        });
      });
}

Result<void> EduService::check_joined(const api::CallContext& context, const RoomId& room, const UserId& user) const {
  BACKPLANE_TRY(found, rooms_.find_membership(context, {room, user}));
  if (found.membership != "join") return denied("not_in_room", user.str() + " is not in the room");
  return {};
}

Result<api::Nothing> EduService::set_typing(const api::CallContext& context, const api::SetTypingRequest& request) {
  BACKPLANE_CHECK(check_joined(context, request.room_id, request.user));
  // Clamped as milliseconds: what a client asks for may be more nanoseconds than there are.
  const auto longest = std::chrono::duration_cast<std::chrono::milliseconds>(settings_.typing_timeout);
  const Duration wanted =
      std::clamp(std::chrono::milliseconds(request.timeout_ms), std::chrono::milliseconds::zero(), longest);
  typing_.set(request.room_id, request.user, request.typing ? wanted : Duration::zero());
  return api::Nothing{};
}

}  // namespace backplane::edu_server
