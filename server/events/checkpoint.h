// What a projection writes into a checkpoint and reads from it, beside its small state.
//
// Each projection has a space of keys of its own in Family::checkpoints. Whatever a checkpoint
// changes, in all spaces and with all states, becomes durable at once or not at all.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "server/store/database.h"

namespace vitrine::events {

// One thread.
class CheckpointWriter {
 public:
  virtual ~CheckpointWriter() = default;
  // Keys of one part ascend in byte order, each comes once (checked); an empty key is none.
  virtual void put(std::string_view key, std::string_view value) = 0;
  virtual void erase(std::string_view key) = 0;
};

// What changed since the last checkpoint, as of the moment the part was made. Runs on the
// checkpoint thread while new entries are applied.
using CheckpointPart = std::function<void(CheckpointWriter&)>;

// The keys of the last durable checkpoint. Thread-safe; sees a new checkpoint before its
// end_checkpoint() is called.
class CheckpointReader {
 public:
  virtual ~CheckpointReader() = default;
  virtual absl::StatusOr<std::optional<std::string>> get(std::string_view key) const = 0;
  // In order, those that begin with `prefix`, until `visit` returns false.
  virtual absl::Status walk(
      std::string_view prefix,
      const std::function<bool(std::string_view key, std::string_view value)>& visit) const = 0;
};

// Of the projection with this name; `database` outlives it.
std::unique_ptr<CheckpointReader> read_checkpoint_of(std::string_view projection,
                                                     const store::Database& database);

// How the keys lie in the family: the state under the name, everything else under name, a zero byte
// and key.
std::string checkpoint_key(std::string_view projection, std::string_view key);

}  // namespace vitrine::events
