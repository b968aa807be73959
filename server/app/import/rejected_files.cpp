#include "server/app/import/rejected_files.h"

#include <algorithm>
#include <boost/json.hpp>
#include <cstdint>
#include <functional>
#include <string>
#include <system_error>

#include "base/file.h"
#include "base/status.h"
#include "server/events/mention.h"

namespace vitrine::app {
namespace {

// What a file holds, without the lines that name somebody; those are told.
absl::StatusOr<std::string> without_mentions(const std::filesystem::path& file,
                                             const events::Mention& mention,
                                             const std::function<void(std::string_view)>& tell) {
  VITRINE_ASSIGN_OR_RETURN(const std::string content, read_file(file));
  std::string kept;
  for (std::size_t at = 0; at < content.size();) {
    const std::size_t end = std::min(content.find('\n', at), content.size() - 1) + 1;
    const std::string_view line = std::string_view(content).substr(at, end - at);
    at = end;
    mention.is_in(line) ? tell(line) : static_cast<void>(kept.append(line));
  }
  return kept;
}

}  // namespace

absl::StatusOr<std::vector<std::filesystem::path>> RejectedFiles::files() const {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  if (!std::filesystem::exists(folder_, error)) return found;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.is_regular_file(error)) found.push_back(entry.path());
  }
  if (error) return unavailable("cannot look at {}: {}", folder_.string(), error.message());
  std::ranges::sort(found);
  return found;
}

absl::StatusOr<std::string> RejectedFiles::export_person(const events::DataSubject& subject) const {
  const events::Mention mention(subject.ids());
  boost::json::array lines;
  VITRINE_ASSIGN_OR_RETURN(const auto all, files());
  for (const std::filesystem::path& file : all) {
    const auto tell = [&](std::string_view line) {
      lines.push_back({{"file", file.filename().string()}, {"line", line}});
    };
    VITRINE_RETURN_IF_ERROR(without_mentions(file, mention, tell).status());
  }
  return boost::json::serialize(lines);
}

absl::StatusOr<events::Erased> RejectedFiles::erase_person(const events::DataSubject& subject,
                                                           events::Committer& /*committer*/) {
  const events::Mention mention(subject.ids());
  events::Erased erased;
  VITRINE_ASSIGN_OR_RETURN(const auto all, files());
  for (const std::filesystem::path& file : all) {
    std::uint64_t named = 0;
    VITRINE_ASSIGN_OR_RETURN(
        const std::string kept,
        without_mentions(file, mention, [&](std::string_view /*line*/) { ++named; }));
    if (named > 0) VITRINE_RETURN_IF_ERROR(replace_file(file, kept));
    erased.dropped += named;
  }
  return erased;
}

}  // namespace vitrine::app
