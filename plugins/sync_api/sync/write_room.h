// The text of one room in a /sync answer.
#pragma once

#include <string>
#include <string_view>

#include "sync/assembler_work.h"

namespace backplane::sync_api {

/// A list in the text that is not there at all while it is empty.
class List {
 public:
  List(std::string& out, std::string_view opening, std::string_view closing)
      : out_(out), opening_(opening), closing_(closing) {}
  /// Before each element.
  void next() {
    out_ += open_ ? std::string_view(",") : opening_;
    open_ = true;
  }
  /// After the last; whether there were any.
  bool end() {
    if (open_) out_ += closing_;
    return open_;
  }
  bool open() const { return open_; }
  /// The only element was taken back.
  void close() { open_ = false; }

 private:
  std::string& out_;
  const std::string_view opening_, closing_;
  bool open_ = false;
};

void append_account_data(std::string& out, const AccountDataView& data);

struct RoomWriter {
  const Assembler::Work& work;
  std::string& out;

  void room(const RoomPlan& plan, bool joined) const;
  /// An event of its state, with a comma before it where it is not the text's first.
  void state_event(const RoomPlan& plan, const StateItem& item, const ClientEvent& event, bool& first) const;

 private:
  void timeline(const RoomPlan& plan) const;
  void state(const RoomPlan& plan) const;
  void summary(const RoomPlan& plan) const;
  void ephemeral(const RoomPlan& plan) const;
  void account_data(const RoomPlan& plan) const;
  ReaderParts parts_for(const RoomPlan& plan, Sequence position, const TimelineEntry* entry) const;
};

}  // namespace backplane::sync_api
