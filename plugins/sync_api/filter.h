// Filters of /sync and of the reads of a room (Client-Server API, "Filtering"), parsed once and shared by every poll
// that uses the same text. Immutable: any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/json.h"
#include "backplane/base/result.h"

namespace backplane::sync_api {

/// EventFilter of the specification.
struct EventFilter {
  std::optional<std::uint32_t> limit;
  std::optional<std::vector<std::string>> types;  ///< `*` matches any characters
  std::vector<std::string> not_types;
  std::optional<std::vector<std::string>> senders;
  std::vector<std::string> not_senders;

  bool allows_type(std::string_view type) const;
  bool allows_sender(std::string_view sender) const;
  bool allows(std::string_view type, std::string_view sender) const {
    return allows_type(type) && allows_sender(sender);
  }
};

/// RoomEventFilter of the specification.
struct RoomEventFilter : EventFilter {
  std::optional<std::vector<std::string>> rooms;
  std::vector<std::string> not_rooms;
  std::optional<bool> contains_url;
  bool lazy_load_members = false;
  bool include_redundant_members = false;
  bool unread_thread_notifications = false;

  bool allows_room(std::string_view room) const;
  /// Whether content may pass; `content` is raw JSON.
  bool allows_content(std::string_view content) const;
  /// A filter that keeps nothing at all (`types: []`), so that nothing needs to be looked up.
  bool nothing() const { return types && types->empty(); }
};

/// Filter of the specification.
struct Filter {
  enum class Format : std::uint8_t { client, federation };
  Format format = Format::client;
  std::vector<std::string> event_fields;  ///< empty: all; a server may send more than was asked for
  EventFilter presence;
  EventFilter account_data;
  std::optional<std::vector<std::string>> rooms;
  std::vector<std::string> not_rooms;
  bool include_leave = false;
  RoomEventFilter state;
  RoomEventFilter timeline;
  RoomEventFilter ephemeral;
  RoomEventFilter room_account_data;

  bool allows_room(std::string_view room) const;
};
using FilterPtr = std::shared_ptr<const Filter>;

/// Errors: invalid/not_json, invalid/bad_json with the member's name.
Result<Filter> parse_filter(std::string_view text);
Result<Filter> parse_filter(json::View object);
/// The filter parameter of /messages and /context.
Result<RoomEventFilter> parse_room_event_filter(std::string_view text);

}  // namespace backplane::sync_api
