// One process a folder: a lock that ends with its owner, however that ends.
//
// RocksDB has a lock of its own, but rotates the owner's log file before it asks for it.
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <memory>

namespace vitrine::store {

class FolderLock {
 public:
  // FailedPrecondition when somebody holds it; the message names the process.
  static absl::StatusOr<std::unique_ptr<FolderLock>> take(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  explicit FolderLock(int file) : file_(file) {}
  const int file_;
};

}  // namespace vitrine::store
