// The placements of a data folder: those that ship, with what the shop changed and added.
//
// A change is durable and in the next answer before it is acknowledged. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/published.h"
#include "server/events/committer.h"
#include "server/recommend/placement_book.h"
#include "server/store/database.h"

namespace vitrine::http {

class PlacementStore {
 public:
  // Loads all placements. DataLoss when one cannot be read or names what is no longer there.
  static absl::StatusOr<std::unique_ptr<PlacementStore>> open(const store::Database& database);

  std::shared_ptr<const recommend::PlacementBook> current() const { return book_.current(); }

  // Told of every change on the committer thread, before it is acknowledged. To be set before the
  // first change.
  using Listener = std::function<void(const recommend::PlacementBook&)>;
  void on_change(Listener listener) { listener_ = std::move(listener); }

  // The version a change was made from; a conflict when it is another one by now. 0: there is none.
  using Expected = std::optional<std::uint64_t>;
  // `done` is called once, on the committer thread, unless the call itself fails (queue full). The
  // version is decided here. Precondition: the placement passes validate().
  struct Put {
    recommend::Placement placement;
    bool is_new = false;
  };
  absl::Status put(events::Committer& committer, recommend::Placement placement, Expected expected,
                   std::function<void(absl::StatusOr<Put>)> done);
  // A shipped placement goes back to how it ships, another is gone; NotFound when there is nothing
  // to remove.
  absl::Status remove(events::Committer& committer, std::string name, Expected expected,
                      std::function<void(absl::Status)> done);

 private:
  explicit PlacementStore(recommend::PlacementBook first);
  // What the batch will publish. On the committer thread.
  recommend::PlacementBook& staged_in(events::Batch& batch);

  Published<recommend::PlacementBook> book_;
  Listener listener_;
};

// Whether a change made from version `expected` fits `current`, which may be null.
absl::Status check_version(PlacementStore::Expected expected, const recommend::Placement* current);

}  // namespace vitrine::http
