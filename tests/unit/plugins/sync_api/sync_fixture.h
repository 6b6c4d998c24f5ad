// sync_api in a FakeHost with the real room_server and edu_server and a user_api of the test's own.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "backplane/api/edu_server.h"
#include "backplane/api/room_server.h"
#include "backplane/api/session.h"
#include "backplane/api/user_api.h"
#include "backplane/testing/fake_host.h"

namespace backplane::sync_api {

inline const UserId alice("@alice:test.example");
inline const UserId bob("@bob:test.example");
inline const UserId carol("@carol:test.example");
inline const DeviceId phone("PHONE");

/// user_api as far as sync_api and edu_server need it.
class FakeUsers final : public plugin::Plugin {
 public:
  explicit FakeUsers(FakeUsers*& self) { self = this; }
  Result<void> wire(plugin::Wiring& wiring) override {
    store_ = &wiring.store({});
    client_data_ = &wiring.log().publish(api::client_data_topic, log::Durability::durable, store_);
    wiring.log().publish(api::sessions_topic, log::Durability::durable, store_);
    api_.list_client_data.bind([this](const api::CallContext&, const api::ListRecordsRequest&) {
      return Result<api::ListRecordsResponse>(api::ListRecordsResponse{{}, true, client_data_->head().encode()});
    });
    api_.list_devices.bind([](const api::CallContext&, const api::ListDevicesRequest&) {
      return Result<api::ListDevicesResponse>(api::ListDevicesResponse{{api::Device{phone, {}, "", 0}}});
    });
    wiring.provide(api_);
    return {};
  }
  void set(const UserId& user, const RoomId& room, std::string type, std::string content) {
    const auto done = store_->write([&](storage::Write& write) {
      client_data_->publish(write, user.view(), to_json(api::ClientDataRecord{user, room, type, {content}}));
    });
    if (!done) throw std::runtime_error(done.error().text);
  }

 private:
  storage::Store* store_ = nullptr;
  log::Publisher* client_data_ = nullptr;
  api::UserApi api_;
};

/// One answer, complete or to come.
class Answer final : public http::Responder::Channel {
 public:
  bool complete(http::Response response) override {
    {
      const std::lock_guard lock(mutex_);
      if (response_) return false;
      response_ = std::move(response);
    }
    if (when_complete) when_complete();
    return true;
  }
  bool completed() const override {
    const std::lock_guard lock(mutex_);
    return response_.has_value();
  }
  void on_abandoned(std::function<void()> gone) override { abandon = std::move(gone); }
  http::Response response() const {
    const std::lock_guard lock(mutex_);
    return response_.value_or(http::Response{});
  }
  /// Waits a while for it.
  bool arrives() const {
    for (int i = 0; i < 1000 && !completed(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return completed();
  }
  std::function<void()> abandon;
  std::function<void()> when_complete;

 private:
  mutable std::mutex mutex_;
  std::optional<http::Response> response_;
};

/// A JSON answer, to look into: `json["rooms"]["join"]`.
class Json {
 public:
  explicit Json(std::string text)
      : document_(std::make_shared<json::Document>(*json::Document::parse(text))), view_(document_->root()) {}
  Json operator[](std::string_view key) const { return Json(document_, view_ ? view_->find(key) : std::nullopt); }
  Json operator[](std::size_t i) const {
    if (!view_ || i >= view_->size()) return Json(document_, std::nullopt);
    return Json(document_, view_->elements()[i]);
  }
  explicit operator bool() const { return view_.has_value(); }
  std::string text() const { return view_ ? view_->canonical() : "absent"; }
  std::string string() const { return std::string(view_ ? view_->as_string().value_or("") : ""); }
  std::int64_t integer() const { return view_ ? view_->as_integer().value_or(-1) : -1; }
  bool boolean() const { return view_ && view_->as_boolean().value_or(false); }
  std::size_t size() const { return view_ ? view_->size() : 0; }
  std::vector<std::string> keys() const {
    std::vector<std::string> keys;
    if (view_)
      for (const auto& [key, value] : view_->members()) keys.emplace_back(key);
    return keys;
  }
  std::vector<Json> elements() const {
    std::vector<Json> list;
    if (view_)
      for (const json::View v : view_->elements()) list.push_back(Json(document_, v));
    return list;
  }
  /// Of a list of events: body of messages, otherwise `type` or `type/state_key`.
  std::vector<std::string> events() const {
    std::vector<std::string> list;
    for (const Json& e : elements()) {
      const Json body = e["content"]["body"];
      std::string text = body ? body.string() : e["type"].string();
      if (e["state_key"] && !e["state_key"].string().empty()) text += "/" + e["state_key"].string();
      list.push_back(std::move(text));
    }
    return list;
  }

 private:
  Json(std::shared_ptr<json::Document> document, std::optional<json::View> view)
      : document_(std::move(document)), view_(view) {}
  std::shared_ptr<json::Document> document_;
  std::optional<json::View> view_;
};

struct SyncFixture : ::testing::Test {
  SyncFixture() { start(); }
  ~SyncFixture() override { host.stop(); }

  void start() {
    host.load("room_server");
    host.add("user_api", [this](plugin::Host&) { return std::make_unique<FakeUsers>(users); });
    host.load("edu_server");
    host.load("sync_api");
    host.start();
    await_index();
    rooms = &host.connect<api::RoomServer>();
    edus = &host.connect<api::EduServer>();
  }
  void restart() {
    host.stop();
    start();
  }
  /// When the index of a topic begins, polls end and memory is built again: from here on that does not happen.
  void await_index() {
    const auto begun = [&] { return host.count("sync_api", "SELECT COUNT(*) FROM bp_positions") == 4; };
    for (int i = 0; i < 1000 && !begun(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    ASSERT_TRUE(begun()) << "not every topic has an index";
  }

  // ---- what users do

  static api::MemberProfile profile(const UserId& user) { return {user, {}, {}}; }
  RoomId make_room(const UserId& creator, std::vector<UserId> invite = {}, std::string preset = "public_chat",
                   std::vector<api::StateDraft> state = {}) {
    api::CreateRoomRequest request;
    request.creator = profile(creator);
    request.preset = std::move(preset);
    request.room_version = "11";
    for (const UserId& user : invite) request.invite.push_back(profile(user));
    request.initial_state = std::move(state);
    RoomId room_id;
    rooms->create_room({}, request, [&](Result<api::CreateRoomResponse> created) {
      EXPECT_TRUE(created) << (created ? "" : created.error().text);
      if (created) room_id = std::move(created->room_id);
    });
    return room_id;
  }
  EventId submit(api::Draft draft, const DeviceId& device = phone, std::string transaction = "") {
    api::SubmitDraftRequest request;
    request.key = {draft.sender, device, "/send/" + draft.room_id.str(), TransactionId(std::move(transaction))};
    request.draft = std::move(draft);
    auto sent = rooms->submit_draft({}, request);
    EXPECT_TRUE(sent) << (sent ? "" : sent.error().text);
    return sent ? sent->event_id : EventId();
  }
  EventId say(const UserId& user, const RoomId& room, const std::string& body, std::string transaction = "") {
    return submit({room, user, "m.room.message", {}, {"{\"body\":" + json::quoted(body) + "}"}, {}, {}}, phone,
                  std::move(transaction));
  }
  EventId set(const UserId& user, const RoomId& room, std::string type, std::string content, std::string key = "") {
    return submit({room, user, std::move(type), std::move(key), {std::move(content)}, {}, {}});
  }
  EventId redact(const UserId& user, const RoomId& room, const EventId& target) {
    return submit({room, user, "m.room.redaction", {}, {"{}"}, target, {}});
  }
  void change(const RoomId& room, const UserId& by, api::MembershipAction action, const UserId& target) {
    api::ChangeMembershipRequest request;
    request.room_id = room;
    request.sender = by;
    request.action = action;
    request.target = profile(target);
    std::string error = "no answer";
    rooms->change_membership({}, request, [&](auto result) { error = result ? "" : result.error().text; });
    EXPECT_EQ(error, "");
  }
  void join(const RoomId& room, const UserId& user) { change(room, user, api::MembershipAction::join, user); }
  void leave(const RoomId& room, const UserId& user) { change(room, user, api::MembershipAction::leave, user); }

  // ---- what clients ask

  struct Asked {
    std::shared_ptr<Answer> answer;
    Json json() const { return Json(answer->response().body); }
    int status() const { return answer->response().status; }
  };
  Asked ask(const UserId& user, std::string_view route, std::string query, std::vector<http::NameValue> parameters = {},
            http::Method method = http::Method::get, std::string body = "", const DeviceId& device = phone) {
    http::Request request;
    request.method = method;
    request.raw_query = std::move(query);
    request.parameters = std::move(parameters);
    request.body = std::move(body);
    request.deadline = host.clock().now() + time_for_request;
    auto session = std::make_shared<api::Session>();
    session->user = user;
    session->device = device;
    request.identity = session;
    Asked asked{std::make_shared<Answer>()};
    for (const testing::FakeRoute& r : host.routes()) {
      if (r.method != method || !r.pattern.ends_with(route)) continue;
      if (r.parking) {
        r.parking(request, http::Responder(asked.answer));
      } else {
        auto response = r.handler(request);
        asked.answer->complete(response ? std::move(*response) : http::Response::error(response.error()));
      }
      return asked;
    }
    ADD_FAILURE() << "no route " << route;
    return asked;
  }
  Asked poll(const UserId& user, std::string query, const DeviceId& device = phone) {
    return ask(user, "/sync", std::move(query), {}, http::Method::get, "", device);
  }
  /// An answer at once.
  Json sync(const UserId& user, const std::string& since = "", const std::string& more = "",
            const DeviceId& device = phone) {
    const auto asked = poll(user, (since.empty() ? "" : "since=" + since + "&") + more, device);
    EXPECT_TRUE(asked.answer->arrives());
    EXPECT_EQ(asked.status(), 200) << asked.answer->response().body;
    return asked.json();
  }
  static std::string filter(const std::string& json) { return "filter=" + percent_encode(json); }
  Asked room_get(const UserId& user, const RoomId& room, const std::string& route, const std::string& query = "",
                 const std::string& event_id = "") {
    return ask(user, route, query, {{"roomId", room.str()}, {"eventId", event_id}});
  }
  Json messages(const UserId& user, const RoomId& room, const std::string& query) {
    const auto asked = room_get(user, room, "/messages", query);
    EXPECT_EQ(asked.status(), 200) << asked.answer->response().body;
    return asked.json();
  }

  testing::FakeHost host;
  Duration time_for_request = std::chrono::minutes(5);
  FakeUsers* users = nullptr;
  api::RoomServer* rooms = nullptr;
  api::EduServer* edus = nullptr;
};

inline std::vector<std::string> timeline(const Json& answer, const RoomId& room, std::string_view section = "join") {
  return answer["rooms"][section][room.view()]["timeline"]["events"].events();
}
inline std::vector<std::string> state(const Json& answer, const RoomId& room, std::string_view section = "join") {
  return answer["rooms"][section][room.view()]["state"]["events"].events();
}

}  // namespace backplane::sync_api
