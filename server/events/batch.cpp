#include "server/events/batch.h"

#include "server/store/key.h"

namespace vitrine::events {

const std::optional<std::string>* Batch::Parts::find(store::Family family,
                                                     std::string_view key) const {
  const auto values = staged.find(family);
  if (values == staged.end()) return nullptr;
  const auto value = values->second.find(key);
  return value == values->second.end() ? nullptr : &value->second;
}

Batch::Batch(const store::Database& database, Position last, TimeMs time_ms)
    : parts_(std::make_unique<Parts>(database, last, time_ms)) {}
Batch::~Batch() = default;

TimeMs Batch::time_ms() const { return parts_->time_ms; }
Position Batch::last_position() const { return parts_->last; }

absl::StatusOr<std::optional<std::string>> Batch::get(store::Family family,
                                                      std::string_view key) const {
  if (const auto* value = parts_->find(family, key)) return *value;
  return parts_->database.get(family, key);
}

bool Batch::has_staged(store::Family family, std::string_view key) const {
  const auto* value = parts_->find(family, key);
  return value != nullptr && value->has_value();
}

void Batch::put(store::Family family, std::string_view key, std::string_view value) {
  ++parts_->operations;
  parts_->changes.put(family, key, value);
  parts_->staged[family].insert_or_assign(std::string(key), std::string(value));
}

void Batch::erase(store::Family family, std::string_view key) {
  ++parts_->operations;
  parts_->changes.erase(family, key);
  parts_->staged[family].insert_or_assign(std::string(key), std::nullopt);
}

Position Batch::append(LogEntry entry) {
  ++parts_->operations;
  entry.position = ++parts_->last;
  entry.committed_ms = parts_->time_ms;
  parts_->changes.put(store::Family::log, store::key_of(entry.position), encode(entry));
  parts_->entries.push_back(std::move(entry));
  return parts_->last;
}

void Batch::after_sync(std::function<void()> publish) {
  parts_->publish.push_back(std::move(publish));
}

std::shared_ptr<void>& Batch::staged_place(const void* owner) { return parts_->places[owner]; }

}  // namespace vitrine::events
