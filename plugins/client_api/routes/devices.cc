#include <algorithm>

#include "auth/password_auth.h"
#include "routes/routes.h"
#include "routes/support.h"

namespace backplane::client_api {
namespace {

void write_device(json::Writer& out, const api::Device& device) {
  out.begin_object().member("device_id", device.device_id.view());
  if (device.display_name) out.member("display_name", *device.display_name);
  if (!device.last_seen_ip.empty()) out.member("last_seen_ip", device.last_seen_ip);
  if (device.last_seen_ms != 0) out.member("last_seen_ts", device.last_seen_ms);
  out.end_object();
}

Result<http::Response> list(Components& c, const http::Request& request) {
  BACKPLANE_TRY(known, c.users.list_devices(api::context_of(request), {api::session_of(request).user}));
  std::string body;
  json::Writer out(body);
  out.begin_object().key("devices").begin_array();
  for (const api::Device& device : known.devices) write_device(out, device);
  out.end_array().end_object();
  return http::Response::json(std::move(body));
}

Result<http::Response> get(Components& c, const http::Request& request) {
  BACKPLANE_TRY(known, c.users.list_devices(api::context_of(request), {api::session_of(request).user}));
  const auto wanted = request.parameter("deviceId");
  const auto device = std::find_if(known.devices.begin(), known.devices.end(),
                                   [&](const api::Device& d) { return d.device_id.view() == wanted; });
  if (device == known.devices.end()) return not_found("", "there is no such device");
  std::string body;
  json::Writer out(body);
  write_device(out, *device);
  return http::Response::json(std::move(body));
}

Result<http::Response> update(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_TRY(name, document.root().get_optional_string("display_name"));
  api::UpdateDeviceRequest change{api::session_of(request).user, DeviceId(std::string(request.parameter("deviceId"))),
                                  std::nullopt};
  if (name) change.display_name = *name;
  BACKPLANE_CHECK(c.users.update_device(api::context_of(request), change));
  return http::Response::empty_object();
}

Result<http::Response> remove(Components& c, const http::Request& request, json::View body,
                              std::vector<DeviceId> devices) {
  AuthOutcome outcome = check_password(c, request, body, "delete_devices");
  if (!outcome.done) return std::move(outcome.refusal);
  BACKPLANE_CHECK(
      c.users.delete_devices(api::context_of(request), {api::session_of(request).user, std::move(devices), false, {}}));
  return http::Response::empty_object();
}

Result<http::Response> remove_one(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body(true));
  return remove(c, request, document.root(), {DeviceId(std::string(request.parameter("deviceId")))});
}

Result<http::Response> remove_many(Components& c, const http::Request& request) {
  BACKPLANE_TRY(document, request.json_body());
  BACKPLANE_TRY(list_of_ids, document.root().get_array("devices"));
  std::vector<DeviceId> devices;
  for (const json::View element : list_of_ids.elements()) {
    const auto id = element.as_string();
    if (!id) return invalid("bad_json", "member 'devices' is not a list of strings");
    devices.emplace_back(std::string(*id));
  }
  return remove(c, request, document.root(), std::move(devices));
}

}  // namespace

void add_device_routes(http::Routes& routes, Components& c) {
  using http::Method;
  routes.add(Method::get, "/_matrix/client/v3|r0/devices", guest_read_route,
             [&c](const http::Request& r) { return list(c, r); });
  routes.add(Method::get, "/_matrix/client/v3|r0/devices/{deviceId}", guest_read_route,
             [&c](const http::Request& r) { return get(c, r); });
  routes.add(Method::put, "/_matrix/client/v3|r0/devices/{deviceId}", guest_write_route,
             [&c](const http::Request& r) { return update(c, r); });
  routes.add(Method::delete_, "/_matrix/client/v3|r0/devices/{deviceId}", write_route,
             [&c](const http::Request& r) { return remove_one(c, r); });
  routes.add(Method::post, "/_matrix/client/v3|r0/delete_devices", write_route,
             [&c](const http::Request& r) { return remove_many(c, r); });
}

}  // namespace backplane::client_api
