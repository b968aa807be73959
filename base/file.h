// Whole files: read, replaced atomically, mapped read-only.
//
// Thread-safe as long as callers do not write one path from two threads.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/crypto.h"

namespace vitrine {

// NotFound when there is no such file.
absl::StatusOr<std::string> read_file(const std::filesystem::path& path);

// Writes beside `path`, fsyncs, renames over it, fsyncs the folder: after a crash the old or the
// new content is there.
absl::Status replace_file(const std::filesystem::path& path, std::string_view content);

// Writes a new file and fsyncs it; the folder is not synced.
absl::Status write_file_synced(const std::filesystem::path& path, std::string_view content);

// Copies a file to a new name, fsyncs the copy, and returns the digest of what it read; the folder
// is not synced. A failure leaves no copy.
absl::StatusOr<Sha256> copy_file_synced(const std::filesystem::path& from,
                                        const std::filesystem::path& to);

// NotFound when there is no such file.
absl::StatusOr<Sha256> sha256_of_file(const std::filesystem::path& path);

// Makes renames and new names in `folder` durable.
absl::Status sync_folder(const std::filesystem::path& folder);

std::size_t free_bytes(const std::filesystem::path& path);

// A file mapped read-only; the mapping ends with the object. Move-only.
class MappedFile {
 public:
  static absl::StatusOr<MappedFile> open(const std::filesystem::path& path);
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::span<const std::byte> bytes() const { return bytes_; }
  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()};
  }
  // Gives the memory back that reading took; what is read again comes from the system's cache.
  void release_memory() const;

 private:
  explicit MappedFile(std::span<const std::byte> bytes) : bytes_(bytes) {}
  std::span<const std::byte> bytes_;
};

}  // namespace vitrine
