#include <algorithm>

#include "user_service.h"

namespace backplane::user_api {

log::Position UserService::store_account_data(storage::Write& write, const UserId& user, const RoomId& room,
                                              const std::string& type, json::Raw content) {
  std::string text = content.text;
  const log::Position position =
      client_data_.publish(write, user.view(), to_json(api::ClientDataRecord{user, room, type, std::move(content)}));
  store::set_account_data(write, matrix::localpart(user), room, type, text, position);
  return position;
}

Result<api::AccountDataResponse> UserService::get_account_data(const api::AccountDataRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  return store_.read([&](storage::Session& session) -> Result<api::AccountDataResponse> {
    auto content = store::find_account_data(session, localpart, request.room, request.type);
    if (!content) return not_found("", "there is no account data of type " + request.type);
    return api::AccountDataResponse{json::Raw{std::move(*content)}};
  });
}

Result<api::PositionResponse> UserService::set_account_data(const api::SetAccountDataRequest& request) {
  BACKPLANE_CHECK(local(request.user));
  return store_.write([&](storage::Write& write) {
    return api::PositionResponse{store_account_data(write, request.user, request.room, request.type, request.content)};
  });
}

Result<api::PositionResponse> UserService::change_tag(const api::ChangeTagRequest& request) {
  BACKPLANE_TRY(localpart, local(request.user));
  // Client-Server API, "Room tagging": m.tag holds {"tags": {name: {"order": …}}}.
  return store_.write([&](storage::Write& write) -> Result<api::PositionResponse> {
    const auto stored = store::find_account_data(write, localpart, request.room, "m.tag");
    BACKPLANE_TRY(document, json::Document::parse(stored.value_or("{}")));
    std::string text;
    json::Writer out(text);
    out.begin_object().key("tags").begin_object();
    if (const auto tags = document.root().find("tags")) {
      for (const auto& [name, value] : tags->members()) {
        if (name != request.tag) out.member(name, value);
      }
    }
    if (!request.content.empty()) out.raw_member(request.tag, request.content.text);
    out.end_object().end_object();
    return api::PositionResponse{
        store_account_data(write, request.user, request.room, "m.tag", json::Raw{std::move(text)})};
  });
}

Result<api::ListRecordsResponse> UserService::list_client_data(const api::ListRecordsRequest& request) {
  const auto after = log::Positions::decode(request.after);
  if (!after) return invalid("invalid_param", "'after' is no position");
  const std::uint32_t limit = std::max<std::uint32_t>(request.limit, 1);  // a page that is not the last has a record
  return store_.read([&](storage::Session& session) {
    api::ListRecordsResponse answer;
    session.each<std::string, RoomId, std::string, std::string, std::uint16_t, std::uint64_t>(
        "SELECT localpart, room_id, type, content, lane, sequence FROM account_data WHERE sequence > ? ORDER BY "
        "sequence LIMIT ?",
        {after->base(), limit},
        [&](std::string localpart, RoomId room, std::string type, std::string content, std::uint16_t lane,
            std::uint64_t sequence) {
          const UserId user = user_id(localpart);
          std::string payload =
              to_json(api::ClientDataRecord{user, std::move(room), std::move(type), json::Raw{std::move(content)}});
          answer.records.push_back({user.str(), {lane, sequence}, json::Raw{std::move(payload)}});
        });
    answer.last = answer.records.size() < limit;
    // What is committed after this is delivered by the log itself.
    answer.as_of = client_data_.head(session).encode();
    return answer;
  });
}

}  // namespace backplane::user_api
