// Which servers a room deals with: its m.room.server_acl event (Server-Server API, "Server Access Control Lists"). The
// authorization rules know nothing of it: whoever serves a request of another server about a room asks here first.
// Immutable: any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backplane/base/export.h"
#include "backplane/matrix/ids.h"

namespace backplane::matrix {

class BACKPLANE_API ServerAcl {
 public:
  /// From the content of the event (JSON). What is not of the kind that the specification asks for counts as absent; so
  /// an event that allows nobody keeps every server out. A room without the event has no ServerAcl and keeps none out.
  explicit ServerAcl(std::string_view content);

  /// Whether the room deals with the server. The port in its name does not count.
  bool allows(const ServerName& server) const;

 private:
  bool allow_ip_literals_ = true;
  std::vector<std::string> allow_, deny_;  ///< patterns in lower case
};

}  // namespace backplane::matrix
