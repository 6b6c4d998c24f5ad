// The endpoints of this plugin, one file each.
#pragma once

#include "backplane/http/routes.h"
#include "backplane/plugin/plugin.h"
#include "events/event_cache.h"
#include "filter.h"
#include "routes/parked_pages.h"
#include "sync/sync_service.h"
#include "tail/read_model.h"

namespace backplane::sync_api {

/// What the endpoints work with; lives as long as the plugin.
struct Reader {
  plugin::Host& host;
  storage::Store& store;
  ReadModel& model;
  EventCache& events;
  SyncService& sync;
  ParkedPages& pages;
};

http::RouteOptions read_options();

void add_sync(http::Routes& routes, Reader& reader);
void add_messages(http::Routes& routes, Reader& reader);
void add_context(http::Routes& routes, Reader& reader);
void add_event(http::Routes& routes, Reader& reader);
void add_members(http::Routes& routes, Reader& reader);
void add_filters(http::Routes& routes, Reader& reader);

}  // namespace backplane::sync_api
