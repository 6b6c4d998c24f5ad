// GET /sync
#include "routes/routes.h"

namespace backplane::sync_api {

void add_sync(http::Routes& routes, Reader& reader) {
  http::RouteOptions options = read_options();
  options.deadline = std::chrono::minutes(11);  // the longest poll, and a little
  routes.add_parking(http::Method::get, "/_matrix/client/v3|r0/sync", options,
                     [&reader](const http::Request& request, http::Responder responder) {
                       reader.sync.handle(request, std::move(responder));
                     });
}

}  // namespace backplane::sync_api
