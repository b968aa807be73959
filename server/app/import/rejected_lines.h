// The side file of an import: every line that was not taken, with its number and the reason.
//
// Made when the first line comes; a CSV file that any program opens. One thread.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string_view>

namespace vitrine::app {

class RejectedLines {
 public:
  // Removes what an earlier import left at `path`.
  explicit RejectedLines(std::filesystem::path path);

  absl::Status add(std::uint64_t line, std::string_view reason, std::string_view raw);
  std::uint64_t count() const { return count_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::ofstream file_;
  std::uint64_t count_ = 0;
};

}  // namespace vitrine::app
