#include "server/store/folder_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <system_error>

#include "base/file.h"
#include "base/status.h"

namespace vitrine::store {

absl::StatusOr<std::unique_ptr<FolderLock>> FolderLock::take(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "vitrine.lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return failed_precondition("cannot open {}: {}", path.string(),
                               std::generic_category().message(errno));
  }
  // flock belongs to the open file, not to the process: a second opening in one process is refused
  // as well.
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    ::close(file);
    const auto holder = read_file(path);
    return failed_precondition("{} is held by another process ({})", folder.string(),
                               holder.ok() && !holder->empty() ? *holder : "unknown");
  }
  const std::string name = fmt::format("process {}", ::getpid());
  const bool named = ::ftruncate(file, 0) == 0 && ::pwrite(file, name.data(), name.size(), 0) ==
                                                      static_cast<ssize_t>(name.size());
  if (!named) {
    ::close(file);
    return failed_precondition("cannot write {}", path.string());
  }
  return std::unique_ptr<FolderLock>(new FolderLock(file));
}

FolderLock::~FolderLock() { ::close(file_); }

}  // namespace vitrine::store
