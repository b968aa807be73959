// Entries and commands as the tests of this folder want them.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "server/events/projection.h"

namespace vitrine::events {

inline LogEntry entry_of(std::string event_id) {
  LogEntry entry;
  entry.user = UserNumber(7);
  entry.source = "test";
  Event event;
  event.event_id = std::move(event_id);
  event.type = EventType::view;
  event.product_id = "p1";
  entry.what = std::move(event);
  return entry;
}

// Remembers the order of what it was shown; keeps a checkpoint when asked to.
class RecordingProjection final : public Projection {
 public:
  std::string_view name() const override { return "recording"; }
  void apply(const LogEntry& entry) override {
    EXPECT_EQ(entry.position, position_ + 1) << "entries come without gaps";
    position_ = entry.position;
    seen += entry.event()->event_id + " ";
    ++applied;
  }
  Position position() const override { return position_; }
  std::string checkpoint() const override { return seen; }
  absl::Status restore(std::string_view checkpoint, Position at) override {
    if (checkpoint.starts_with("another form")) return absl::UnimplementedError("another form");
    if (checkpoint.starts_with("broken")) return absl::DataLossError("broken");
    seen = checkpoint;
    position_ = at;
    return absl::OkStatus();
  }

  std::string seen;
  int applied = 0;

 private:
  Position position_ = 0;
};

}  // namespace vitrine::events
