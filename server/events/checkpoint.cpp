#include "server/events/checkpoint.h"

#include "base/status.h"

namespace vitrine::events {
namespace {

class LocalReader final : public CheckpointReader {
 public:
  LocalReader(std::string_view projection, const store::Database& database)
      : space_(checkpoint_key(projection, {})), database_(database) {}

  absl::StatusOr<std::optional<std::string>> get(std::string_view key) const override {
    return database_.get(store::Family::checkpoints, space_ + std::string(key));
  }

  absl::Status walk(std::string_view prefix,
                    const std::function<bool(std::string_view key, std::string_view value)>& visit)
      const override {
    const std::string from = space_ + std::string(prefix);
    const auto cursor = database_.walk(store::Family::checkpoints, from, true);
    for (; cursor->valid() && cursor->key().starts_with(from); cursor->next()) {
      if (!visit(cursor->key().substr(space_.size()), cursor->value())) return absl::OkStatus();
    }
    return cursor->status();
  }

 private:
  const std::string space_;
  const store::Database& database_;
};

}  // namespace

std::unique_ptr<CheckpointReader> read_checkpoint_of(std::string_view projection,
                                                     const store::Database& database) {
  return std::make_unique<LocalReader>(projection, database);
}

std::string checkpoint_key(std::string_view projection, std::string_view key) {
  std::string whole(projection);
  whole.append(1, '\0').append(key);
  return whole;
}

}  // namespace vitrine::events
