// A membership event of a user of this server, made of what another server answers to GET /make_join, /make_leave and
// /make_knock (Server-Server API): it says what the event follows and cites; who it is of, and what it says, is this
// server's to say.
#pragma once

#include "backplane/matrix/event.h"
#include "environment.h"
#include "input/content.h"

namespace backplane::room_server {

struct TemplateWish {
  RoomId room_id;
  UserId user;
  matrix::Membership membership = matrix::Membership::join;
  Content content;  ///< all of it, but for who authorises a restricted join: that is the template's to say
};

/// Signed by this server. Errors: incomplete/bad_answer for what is no template of that event; invalid/too_large.
Result<matrix::Event> finish_template(Environment& environment, const json::Raw& event_template,
                                      const matrix::RoomVersion& version, const TemplateWish& wish);

}  // namespace backplane::room_server
