// A store that has no room for its first write and then takes everything.
#pragma once

#include <utility>

#include "server/store/database.h"

namespace vitrine {

class NoRoomOnce final : public store::Database {
 public:
  explicit NoRoomOnce(store::Database& inner) : inner_(inner) {}

  absl::StatusOr<std::optional<std::string>> get(store::Family family,
                                                 std::string_view key) const override {
    return inner_.get(family, key);
  }
  std::unique_ptr<store::Cursor> walk(store::Family family, std::string_view from,
                                      bool long_walk) const override {
    return inner_.walk(family, from, long_walk);
  }
  std::optional<std::string> last_key(store::Family family) const override {
    return inner_.last_key(family);
  }
  absl::Status write(store::WriteSet&& changes) override {
    if (std::exchange(refused_, true)) return inner_.write(std::move(changes));
    return absl::UnavailableError("no room");
  }
  absl::Status write_unsynced(store::WriteSet&& changes) override {
    return inner_.write_unsynced(std::move(changes));
  }
  absl::StatusOr<std::unique_ptr<store::BulkWrite>> bulk_write(store::Family family) override {
    return inner_.bulk_write(family);
  }
  absl::Status back_up(const std::filesystem::path& folder) const override {
    return inner_.back_up(folder);
  }
  absl::Status purge(std::span<const store::Family> kept) override { return inner_.purge(kept); }
  absl::Status verify_checksums() const override { return inner_.verify_checksums(); }
  absl::Status catch_up() override { return absl::OkStatus(); }
  const std::string& secret() const override { return inner_.secret(); }
  std::uint64_t bytes_on_disk() const override { return inner_.bytes_on_disk(); }
  store::MemoryUse memory_use() const override { return inner_.memory_use(); }

 private:
  store::Database& inner_;
  bool refused_ = false;
};

}  // namespace vitrine
