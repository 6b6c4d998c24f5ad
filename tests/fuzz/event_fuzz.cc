// PDUs as another server may send them. The first byte is the room version.
#include "backplane/base/json.h"
#include "backplane/matrix/auth_rules.h"
#include "backplane/matrix/client_event.h"
#include "backplane/matrix/event.h"
#include "backplane/matrix/event_hash.h"
#include "backplane/matrix/redaction.h"
#include "fuzz.h"

using namespace backplane;
using namespace backplane::matrix;
using fuzz::promise;

namespace {

void use(const Event& event) {
  std::string out;
  append_client_event(out, event, event.room_id().view());
  append_stripped_state_event(out, event);
  (void)signatures_of(event);
  (void)required_signers(event);
  (void)required_auth_events(AuthSubject::of(event), event.room_version());
  (void)RoomCreation::of(event);
  (void)event.prev_events();
  (void)event.auth_events();
  (void)event.redacts();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const RoomVersion& version = fuzz::room_version(data[0]);
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  use(Event::from_stored(text, EventId("$x:a"), version));  // trusted text: no promise but to stay inside it

  const auto event = Event::parse_untrusted(text, version);
  if (!event) {
    promise(!event.error().reason.empty(), "a refusal has a reason");
    return 0;
  }
  use(*event);
  promise(event->json().size() <= max_event_bytes, "the size is limited");
  promise(event->type().size() <= max_event_key_bytes, "the type's size is limited");
  promise(event->depth() >= 0 && event->depth() <= version.max_depth(), "the depth is in range");
  promise(event->prev_events().size() <= max_prev_events, "prev_events are limited");
  const auto document = json::Document::parse_object(event->json());
  promise(document.ok() && document->root().canonical() == event->json(), "the bytes are canonical");
  if (version.event_format != EventFormat::event_id_in_event) {
    promise(reference_event_id(event->json(), version) == event->event_id(), "the id is the reference hash");
  }
  const auto again = Event::parse_untrusted(event->json(), version);
  promise(again.ok() && again->json() == event->json() && again->event_id() == event->event_id(),
          "what was taken is taken again");
  const Event once = redact(*event);
  use(once);
  promise(redact(once).json() == once.json(), "redacting twice is redacting once");
  promise(reference_hash(once.json(), version) == reference_hash(event->json(), version),
          "redaction keeps the reference hash");
  return 0;
}
