#include "server/http/placement_store.h"

#include <charconv>
#include <utility>

#include "base/status.h"
#include "server/events/function_command.h"
#include "server/http/placement_json.h"

namespace vitrine::http {
namespace {

using recommend::Placement;
using recommend::PlacementBook;

constexpr std::size_t k_stored_depth_max = 16;
// Beside the placements under their names: no name has a '#'.
constexpr std::string_view k_last_version_key = "#last_version";
constexpr std::uint64_t k_shipped_version = 1;

std::string encode(const Placement& placement) {
  std::string bytes;
  JsonWriter json(bytes);
  append_placement(json, placement);
  return bytes;
}

// Versions are never given twice, not even after a placement is removed and made anew.
absl::StatusOr<std::uint64_t> next_version(const events::Batch& batch) {
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                           batch.get(store::Family::placements, k_last_version_key));
  std::uint64_t last = k_shipped_version;
  if (stored) std::from_chars(stored->data(), stored->data() + stored->size(), last);
  return last + 1;
}

}  // namespace

absl::Status check_version(PlacementStore::Expected expected, const Placement* current) {
  const std::uint64_t actual = current != nullptr ? current->version : 0;
  if (!expected || *expected == actual) return absl::OkStatus();
  return conflict("If-Match expects version {}, the placement has version {}", *expected, actual);
}

PlacementStore::PlacementStore(PlacementBook first)
    : book_(std::make_shared<const PlacementBook>(std::move(first))) {}

absl::StatusOr<std::unique_ptr<PlacementStore>> PlacementStore::open(
    const store::Database& database) {
  PlacementBook book = PlacementBook::shipped();
  const auto cursor = database.walk(store::Family::placements, "", false);
  for (; cursor->valid(); cursor->next()) {
    if (cursor->key() == k_last_version_key) continue;
    auto placement = placement_from_json(cursor->value(), cursor->key(), k_stored_depth_max);
    if (!placement.ok()) {
      return data_loss("the placement {} cannot be read: {}", cursor->key(),
                       message_of(placement.status()));
    }
    book = book.with(*std::move(placement));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  return std::unique_ptr<PlacementStore>(new PlacementStore(std::move(book)));
}

PlacementBook& PlacementStore::staged_in(events::Batch& batch) {
  return batch.staged_by<PlacementBook>(this, [&] {
    auto staged = std::make_shared<PlacementBook>(*current());
    batch.after_sync([this, staged] {
      book_.publish(std::make_shared<const PlacementBook>(*staged));
      if (listener_) listener_(*staged);
    });
    return staged;
  });
}

absl::Status PlacementStore::put(events::Committer& committer, Placement placement,
                                 Expected expected, std::function<void(absl::StatusOr<Put>)> done) {
  const auto outcome = std::make_shared<Put>(Put{.placement = std::move(placement)});
  const auto stage = [this, outcome, expected](events::Batch& batch) -> absl::Status {
    PlacementBook& book = staged_in(batch);
    const Placement* const current = book.find(outcome->placement.name);
    VITRINE_RETURN_IF_ERROR(check_version(expected, current));
    outcome->is_new = current == nullptr;
    if (outcome->is_new && book.all().size() >= PlacementBook::k_placements_max) {
      return failed_precondition("there are {} placements, at most {} may be", book.all().size(),
                                 PlacementBook::k_placements_max);
    }
    VITRINE_ASSIGN_OR_RETURN(outcome->placement.version, next_version(batch));
    batch.put(store::Family::placements, outcome->placement.name, encode(outcome->placement));
    batch.put(store::Family::placements, k_last_version_key,
              std::to_string(outcome->placement.version));
    book = book.with(outcome->placement);
    return absl::OkStatus();
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, answer));
}

absl::Status PlacementStore::remove(events::Committer& committer, std::string name,
                                    Expected expected, std::function<void(absl::Status)> done) {
  const auto stage = [this, name = std::move(name),
                      expected](events::Batch& batch) -> absl::Status {
    PlacementBook& book = staged_in(batch);
    const Placement* const current = book.find(name);
    if (current == nullptr) return not_found("there is no placement {}", name);
    VITRINE_RETURN_IF_ERROR(check_version(expected, current));
    batch.erase(store::Family::placements, name);
    book = book.without(name);
    return absl::OkStatus();
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(stage, std::move(done)));
}

}  // namespace vitrine::http
