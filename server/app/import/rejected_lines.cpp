#include "server/app/import/rejected_lines.h"

#include <string>
#include <system_error>

#include "base/status.h"
#include "server/app/import/csv.h"

namespace vitrine::app {

RejectedLines::RejectedLines(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code ignored;  // there is none to remove, or opening it will say what is wrong
  std::filesystem::remove(path_, ignored);
}

absl::Status RejectedLines::add(std::uint64_t line, std::string_view reason, std::string_view raw) {
  if (count_ == 0) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    file_.open(path_, std::ios::binary);
    file_ << "line,reason,text\n";
  }
  ++count_;
  std::string record = std::to_string(line) + ',';
  append_csv(record, reason);
  record += ',';
  append_csv(record, raw);
  file_ << record << '\n';
  file_.flush();
  if (!file_) return unavailable("cannot write {}", path_.string());
  return absl::OkStatus();
}

}  // namespace vitrine::app
