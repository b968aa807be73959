#include "base/file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <functional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/status.h"

namespace vitrine {
namespace {

absl::Status errno_status(std::string_view what, const std::filesystem::path& path) {
  const int number = errno;
  const std::string reason = std::generic_category().message(number);
  if (number == ENOENT) return not_found("{} {}: {}", what, path.string(), reason);
  if (number == ENOSPC)
    return make_status(absl::StatusCode::kResourceExhausted, "{} {}: {}", what, path.string(),
                       reason);
  return internal_error("{} {}: {}", what, path.string(), reason);
}

// Closes on every way out.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

// Hands the content over piece by piece, until it ends or `take` fails.
absl::Status read_pieces(const std::filesystem::path& path,
                         const std::function<absl::Status(std::string_view piece)>& take) {
  constexpr std::size_t k_piece_bytes = std::size_t{256} << 10;
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return errno_status("cannot open", path);
  std::vector<char> buffer(k_piece_bytes);
  for (;;) {
    const ssize_t count = ::read(file.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_status("cannot read", path);
    if (count == 0) return absl::OkStatus();
    VITRINE_RETURN_IF_ERROR(take({buffer.data(), static_cast<std::size_t>(count)}));
  }
}

absl::Status write_all(const Descriptor& file, const std::filesystem::path& path,
                       std::string_view content) {
  while (!content.empty()) {
    const ssize_t count = ::write(file.get(), content.data(), content.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return errno_status("cannot write", path);
    content.remove_prefix(static_cast<std::size_t>(count));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::string> read_file(const std::filesystem::path& path) {
  std::string content;
  VITRINE_RETURN_IF_ERROR(read_pieces(path, [&](std::string_view piece) {
    content.append(piece);
    return absl::OkStatus();
  }));
  return content;
}

absl::StatusOr<Sha256> copy_file_synced(const std::filesystem::path& from,
                                        const std::filesystem::path& to) {
  const Descriptor copy(::open(to.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (copy.get() < 0) return errno_status("cannot create", to);
  Sha256Stream digest;
  absl::Status copied = read_pieces(from, [&](std::string_view piece) {
    digest.add(piece);
    return write_all(copy, to, piece);
  });
  if (copied.ok() && ::fsync(copy.get()) != 0) copied = errno_status("cannot sync", to);
  if (copied.ok()) return digest.digest();
  ::unlink(to.c_str());
  return copied;
}

absl::StatusOr<Sha256> sha256_of_file(const std::filesystem::path& path) {
  Sha256Stream digest;
  VITRINE_RETURN_IF_ERROR(read_pieces(path, [&](std::string_view piece) {
    digest.add(piece);
    return absl::OkStatus();
  }));
  return digest.digest();
}

absl::Status write_file_synced(const std::filesystem::path& path, std::string_view content) {
  const Descriptor file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (file.get() < 0) return errno_status("cannot create", path);
  VITRINE_RETURN_IF_ERROR(write_all(file, path, content));
  if (::fsync(file.get()) != 0) return errno_status("cannot sync", path);
  return absl::OkStatus();
}

absl::Status sync_folder(const std::filesystem::path& folder) {
  const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (file.get() < 0) return errno_status("cannot open", folder);
  if (::fsync(file.get()) != 0) return errno_status("cannot sync", folder);
  return absl::OkStatus();
}

absl::Status replace_file(const std::filesystem::path& path, std::string_view content) {
  std::filesystem::path beside = path;
  beside += ".new";
  VITRINE_RETURN_IF_ERROR(write_file_synced(beside, content));
  if (::rename(beside.c_str(), path.c_str()) != 0) return errno_status("cannot replace", path);
  return sync_folder(path.has_parent_path() ? path.parent_path() : ".");
}

std::size_t free_bytes(const std::filesystem::path& path) {
  std::error_code error;
  const auto space = std::filesystem::space(path, error);
  return error ? 0 : static_cast<std::size_t>(space.available);
}

absl::StatusOr<MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return errno_status("cannot open", path);
  struct stat facts = {};
  if (::fstat(file.get(), &facts) != 0) return errno_status("cannot read", path);
  const auto size = static_cast<std::size_t>(facts.st_size);
  if (size == 0) return MappedFile({});
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (start == MAP_FAILED) return errno_status("cannot map", path);
  return MappedFile({static_cast<const std::byte*>(start), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}
MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}
void MappedFile::release_memory() const {
  if (bytes_.empty()) return;
  // A hint: without it the pages stay.
  ::madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_DONTNEED);
}
MappedFile::~MappedFile() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

}  // namespace vitrine
