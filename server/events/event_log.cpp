#include "server/events/event_log.h"

#include <algorithm>

#include "base/status.h"
#include "server/events/retention.h"
#include "server/events/rows_ahead.h"
#include "server/store/key.h"

namespace vitrine::events {
namespace {

// So many entries are read by the caller's thread alone; who wants the last few waits for no other.
constexpr unsigned k_read_alone = 1024;

class LocalEventLog final : public EventLog {
 public:
  explicit LocalEventLog(const store::Database& database) : database_(database) {}

  Position last_position() const override {
    const auto key = database_.last_key(store::Family::log);
    return key ? store::number_in(*key).value_or(0) : 0;
  }

  absl::Status read(Position after, const std::function<bool(LogEntry&&)>& visit) const override {
    VITRINE_ASSIGN_OR_RETURN(const RetentionState retention, read_retention_state(database_));
    Position expected = after + 1;
    const auto cursor = database_.walk(store::Family::log, store::key_of(expected), true);
    absl::Status failed;
    const auto goes_on = [&](std::string_view key, std::string_view bytes) {
      const Position position = expected++;
      if (store::number_in(key) != position) {
        failed = data_loss("the log has no entry at position {}", position);
        return false;
      }
      if (bytes.empty() && retention.may_be_empty(position)) return true;
      absl::StatusOr<LogEntry> entry = decode_log_entry(position, bytes);
      if (!entry.ok()) {
        failed = std::move(entry).status();
        return false;
      }
      return visit(*std::move(entry));
    };
    for (unsigned read = 0; read < k_read_alone; ++read, cursor->next()) {
      if (!cursor->valid()) return cursor->status();
      if (!goes_on(cursor->key(), cursor->value())) return failed;
    }
    RowsAhead ahead(*cursor);
    while (const RowsAhead::Chunk* chunk = ahead.next()) {
      for (std::size_t row = 0; row < chunk->size(); ++row) {
        if (!goes_on(chunk->key(row), chunk->value(row))) return failed;
      }
    }
    return cursor->status();
  }

 private:
  const store::Database& database_;
};

}  // namespace

std::unique_ptr<EventLog> make_local_event_log(const store::Database& database) {
  return std::make_unique<LocalEventLog>(database);
}

absl::Status replay(const EventLog& log, store::Database& database,
                    std::span<Projection* const> projections,
                    const std::function<void(Position done, Position last)>& progress,
                    Checkpointer* checkpointer) {
  const Position last = log.last_position();
  Position from = last;
  for (Projection* projection : projections) {
    if (projection->position() == 0) {
      VITRINE_RETURN_IF_ERROR(restore_checkpoint(database, last, *projection));
    }
    from = std::min(from, projection->position());
  }
  constexpr Position k_progress_every = 65'536;
  absl::Status checkpointed;
  const absl::Status read = log.read(from, [&](LogEntry&& entry) {
    for (Projection* projection : projections) {
      if (projection->position() < entry.position) projection->apply(entry);
    }
    if (checkpointer != nullptr) checkpointed = checkpointer->while_replaying(entry.position);
    if (progress && (entry.position % k_progress_every == 0 || entry.position == last)) {
      progress(entry.position, last);
    }
    return checkpointed.ok();
  });
  return read.ok() ? checkpointed : read;
}

}  // namespace vitrine::events
