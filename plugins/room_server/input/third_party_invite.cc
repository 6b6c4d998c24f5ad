#include "input/third_party_invite.h"

#include <algorithm>
#include <utility>

namespace backplane::room_server {
namespace {

/// The m.room.third_party_invite event that a token names. Errors: denied/forbidden when no user of this server offers
/// that invite now.
Result<matrix::Event> pending_invite(const Environment& environment, const RoomHead& head, std::string_view token,
                                     const UserId& sender) {
  // NOTSPEC: no key_validity_url is asked, for this server speaks to no identity server: the event's keys count.
  matrix::Event pending = head.third_party_invite(token);
  // Who takes an invite back puts an event there that lacks what such an event has to have.
  if (!pending || !json::find_raw_string(pending.content(), "display_name"))
    return denied("forbidden", "the room has no such third-party invite, or no longer");
  if (pending.sender() != sender) return denied("forbidden", "that third-party invite is not one of " + sender.str());
  // TODO: federation: the server of that user is asked for the invite (PUT /exchange_third_party_invite).
  if (!matrix::is_on_server(sender.view(), environment.server_name))
    return denied("forbidden",
                  sender.str() + " is a user of another server, which this server cannot ask for the invite");
  // The rules would allow it. But nothing is to be said here in the name of somebody who is not there to take it back.
  if (head.membership_of(sender) != matrix::Membership::join)
    return denied("forbidden", sender.str() + ", who sent the third-party invite, is no longer in the room");
  return pending;
}

bool is_signatures(json::View value) {
  const auto is_of_texts = [](json::View signatures) {
    return signatures.is_object() &&
           std::ranges::all_of(signatures.members(), [](const auto& member) { return member.second.is_string(); });
  };
  return value.is_object() &&
         std::ranges::all_of(value.members(), [&](const auto& member) { return is_of_texts(member.second); });
}

}  // namespace

Result<ThirdPartySigned> ThirdPartySigned::parse(const json::Raw& text, const UserId& user) {
  ThirdPartySigned out;
  BACKPLANE_TRY(content, Content::parse(text));
  out.signed_ = std::move(content);
  out.signed_.remove("unsigned");  // it is nobody's word
  const auto mxid = out.signed_.find_string("mxid");
  auto sender = out.signed_.find_string("sender");
  auto token = out.signed_.find_string("token");
  if (!mxid || !sender || !token)
    return invalid("bad_json", "third_party_signed needs the strings mxid, sender and token");
  const auto signatures = json::Document::parse(out.signed_.find_raw("signatures").value_or("null"));
  if (!signatures || !is_signatures(signatures->root()))
    return invalid("bad_json", "third_party_signed needs signatures: an object of objects of strings");
  if (*mxid != user.view()) return denied("forbidden", "third_party_signed is for another user than " + user.str());
  out.user_ = user;
  out.sender_ = UserId(*std::move(sender));
  out.token_ = *std::move(token);
  return out;
}

Result<NewEvent> ThirdPartySigned::make_invite(Environment& environment, LaneGuard& lane, std::string_view join_content,
                                               const matrix::Event& replaced) const {
  RoomHead& head = lane.head();
  BACKPLANE_TRY(pending, pending_invite(environment, head, token_, sender_));
  Content third_party_invite;
  third_party_invite.set_optional("display_name", json::find_raw_string(pending.content(), "display_name"));
  third_party_invite.set_raw("signed", signed_.canonical());
  Content content;
  for (const std::string_view name : {"avatar_url", "displayname"}) {
    if (const auto value = json::find_raw(join_content, name)) content.set_raw(name, std::string(*value));
  }
  content.set("membership", "invite").set_raw("third_party_invite", third_party_invite.canonical());

  matrix::EventDraft invite;
  invite.sender = sender_;
  invite.type = "m.room.member";
  invite.state_key = user_.str();
  invite.content = content.canonical();
  complete_draft(environment, head, invite);
  if (matrix::check_auth_rules(matrix::AuthSubject::of(invite), head.version(), head)) {
    // Identity servers sign the sender, too, when they are asked by /sign-ed25519, but not when they tell of a binding
    // (PUT /3pid/onbind): then it may have been added to what they signed.
    Content without_sender = signed_;
    without_sender.remove("sender");
    third_party_invite.set_raw("signed", without_sender.canonical());
    invite.content = content.set_raw("third_party_invite", third_party_invite.canonical()).canonical();
  }
  return make_event(environment, head, std::move(invite), replaced, {});
}

}  // namespace backplane::room_server
