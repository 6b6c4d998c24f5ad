// Where a consume subscription begins: at its stored position when the log still follows on from there, else with a
// snapshot of what the producer holds, else from now.
#include <algorithm>
#include <exception>
#include <utility>

#include "log/consume_runner.h"

namespace backplane::log {
namespace {

constexpr Duration look_again = std::chrono::milliseconds(500);
constexpr Duration first_pause = std::chrono::milliseconds(100);
constexpr Duration longest_pause = std::chrono::seconds(30);

}  // namespace

bool ConsumeRunner::insist(std::string_view what, const std::function<Result<void>()>& step) {
  Duration wait = first_pause;
  while (!interrupted()) {
    const auto result = step();
    if (result) return true;
    logger_.warning("cannot begin to consume, trying again", {{"topic", topic_},
                                                              {"group", group_},
                                                              {"step", what},
                                                              {"error", result.error().text},
                                                              {"pause_ms", wait / std::chrono::milliseconds(1)}});
    if (!pause(wait)) return false;
    wait = std::min<Duration>(wait * 2, longest_pause);
  }
  return false;
}

Result<std::optional<bool>> ConsumeRunner::enter_history(const std::string& before, const std::string& epoch,
                                                         const Positions& head) {
  return store_.write([&](storage::Write& write) -> std::optional<bool> {
    const auto stored = tables::find_position(write, who_);
    if (!stored) return std::nullopt;
    const auto positions = stored->epoch == before ? Positions::decode(stored->positions) : std::nullopt;
    return positions && head.covers(*positions) &&
           tables::replace_position(write, who_, *stored, {epoch, stored->positions});
  });
}

bool ConsumeRunner::settle() {
  keeps_position_ = discard_ = false;
  // A topic that nobody has begun to write: whose position is good cannot be told before.
  while (feed_->epoch().empty()) {
    if (interrupted()) return false;
    if (!feed_->poll(1, clock_.now() + look_again)) pause(first_pause);
  }
  std::optional<tables::StoredPosition> stored;
  std::int64_t snapshots = 0;
  const bool read = insist("read the position", [&] {
    return store_.read([&](storage::Session& session) {
      stored = tables::find_position(session, who_);
      snapshots = tables::count_snapshots(session, who_);
      const auto keys = tables::list_parked_keys(session, who_);
      parked_keys_ = {keys.begin(), keys.end()};
      measures_.parked.set(tables::count_parked(session, who_));
    });
  });
  if (!read) return false;
  note_snapshots(snapshots);
  if (!begin_with(stored)) return false;
  unsettled_ = false;
  return true;
}

bool ConsumeRunner::begin_with(const std::optional<tables::StoredPosition>& stored) {
  const Positions head = feed_->head(), complete_from = feed_->complete_from();
  const auto positions =
      stored && stored->epoch == feed_->epoch() ? Positions::decode(stored->positions) : std::nullopt;
  const bool reached = positions && (!feed_->knows_head() || head.covers(*positions));
  if (reached && positions->covers(complete_from)) {
    stored_ = *stored;
    position_ = *positions;
    keeps_position_ = true;
    feed_->seek(position_);
    progress_.reset(position_);
    return true;
  }
  if (stored) {
    const std::string_view why = !positions ? "of another log" : !reached ? "was never reached" : "is no longer held";
    logger_.warning(
        "the group's position is of no use",
        {{"topic", topic_}, {"group", group_}, {"why", why}, {"position", stored->positions}, {"head", head.encode()}});
  }
  if (options_.snapshot) return load_snapshot();
  return begin_at(reached ? complete_from : now_, stored.has_value());
}

bool ConsumeRunner::begin_at(const Positions& position, bool anew) {
  stored_ = {feed_->epoch(), position.encode()};
  const bool stored = insist("store the position", [&] {
    return store_.write(
        [&](storage::Write& write) {
          tables::delete_position(write, who_);
          tables::insert_position(write, who_, stored_);
          if (anew && options_.reset) options_.reset(write);
        },
        chain());
  });
  if (!stored) return false;
  position_ = position;
  keeps_position_ = true;
  feed_->seek(position_);
  progress_.reset(position_);
  return true;
}

// Until the last page is there the group has no position, so that a crash in the middle begins the snapshot again. The
// transport holds all records meanwhile.
bool ConsumeRunner::load_snapshot() {
  const bool begun = insist("begin a snapshot", [&] {
    return store_.write(
        [&](storage::Write& write) {
          tables::delete_position(write, who_);
          tables::delete_parked(write, who_);
          snapshots_ = tables::add_snapshot(write, who_);
          if (options_.reset) options_.reset(write);
        },
        chain());
  });
  if (!begun) return false;
  parked_keys_.clear();
  measures_.parked.set(0);
  position_ = Positions();
  progress_.reset(position_);
  logger_.info("loading a snapshot", {{"topic", topic_}, {"group", group_}});
  Positions as_of;
  if (!load_pages(as_of) || !begin_at(as_of, false)) return false;
  measures_.snapshots.add();
  logger_.info("loaded a snapshot", {{"topic", topic_}, {"group", group_}, {"position", position_.encode()}});
  return true;
}

bool ConsumeRunner::load_pages(Positions& as_of) {
  Positions after;
  for (bool first = true;; first = false) {
    SnapshotPage page;
    const bool got = insist("ask for a page of the snapshot", [&]() -> Result<void> {
      BACKPLANE_TRY(answer, ask_for_page(after));
      page = std::move(answer);
      return {};
    });
    if (!got) return false;
    if (first) as_of = page.as_of;
    const bool early = as_of != Positions();
    if (!early && page.last) as_of = page.as_of;
    if (!page.records.empty()) after.advance_all(page.records.back().position.sequence);
    std::vector<RecordPtr> records;
    records.reserve(page.records.size());
    for (Record& record : page.records) {
      // What came after the first page was made comes by the log.
      if (!early || as_of.covers(record.position)) records.push_back(std::make_shared<const Record>(std::move(record)));
    }
    if (!records.empty() && attempt(records, {}) != Attempt::done && !apply_one_by_one(records)) return false;
    if (page.last) return true;
  }
}

Result<SnapshotPage> ConsumeRunner::ask_for_page(const Positions& after) {
  try {
    auto page = options_.snapshot(after);
    if (page && !page->last && page->records.empty())
      return internal_error("a page of the snapshot that is not the last one holds no records");
    return page;
  } catch (const std::exception& e) {
    return internal_error(e.what());
  }
}

}  // namespace backplane::log
