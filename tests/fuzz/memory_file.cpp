#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/fuzz/fuzz.h"

namespace vitrine::fuzz {

MemoryFile::MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("fuzz", MFD_CLOEXEC)) {
  CHECK(descriptor_ >= 0, "there is memory for a small file");
  const auto written = ::write(descriptor_, bytes.data(), bytes.size());
  CHECK(written == static_cast<ssize_t>(bytes.size()), "a small file takes its bytes at once");
}

MemoryFile::~MemoryFile() { ::close(descriptor_); }

std::filesystem::path MemoryFile::path() const {
  return fmt::format("/proc/self/fd/{}", descriptor_);
}

}  // namespace vitrine::fuzz
