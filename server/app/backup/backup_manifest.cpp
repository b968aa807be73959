#include "server/app/backup/backup_manifest.h"

#include <algorithm>
#include <boost/json.hpp>
#include <system_error>

#include "base/file.h"
#include "base/status.h"

namespace vitrine::app {
namespace {

namespace json = boost::json;

constexpr const char* k_manifest_file = "backup.json";

// What a backup may write when it is restored: files below its folder and nowhere else.
bool is_inside(const std::filesystem::path& path) {
  if (path.empty() || path.is_absolute()) return false;
  return std::none_of(path.begin(), path.end(), [](const std::filesystem::path& part) {
    return part == ".." || part == ".";
  });
}

absl::StatusOr<BackupManifest::File> file_of(const json::value& value) {
  BackupManifest::File file;
  json::error_code error;
  const json::value* path = value.find_pointer("/path", error);
  const json::value* bytes = value.find_pointer("/bytes", error);
  const json::value* digest = value.find_pointer("/sha256", error);
  if (path == nullptr || bytes == nullptr || digest == nullptr || !path->is_string() ||
      !bytes->is_int64() || !digest->is_string()) {
    return data_loss("a file of the backup has no path, bytes and sha256");
  }
  file.path = path->get_string().c_str();
  file.bytes = static_cast<std::uint64_t>(bytes->get_int64());
  file.sha256 = digest->get_string().c_str();
  if (!is_inside(file.path)) return data_loss("the path '{}' leads out of a backup", file.path);
  return file;
}

}  // namespace

std::uint64_t BackupManifest::bytes() const {
  std::uint64_t total = 0;
  for (const File& file : files) total += file.bytes;
  return total;
}

absl::StatusOr<BackupManifest> manifest_of(const std::filesystem::path& folder, TimeMs made_ms,
                                           Position entries) {
  BackupManifest manifest{.made_ms = made_ms, .entries = entries, .files = {}};
  std::error_code error;
  for (std::filesystem::recursive_directory_iterator at(folder, error), end; !error && at != end;
       at.increment(error)) {
    if (!at->is_regular_file(error)) continue;
    VITRINE_ASSIGN_OR_RETURN(const Sha256 digest, sha256_of_file(at->path()));
    manifest.files.push_back({.path = at->path().lexically_relative(folder).string(),
                              .bytes = at->file_size(error),
                              .sha256 = to_hex(digest)});
  }
  if (error) return internal_error("cannot look at {}: {}", folder.string(), error.message());
  std::ranges::sort(manifest.files, {}, &BackupManifest::File::path);
  return manifest;
}

absl::Status write_manifest(const BackupManifest& manifest, const std::filesystem::path& folder) {
  json::array files;
  for (const BackupManifest::File& file : manifest.files) {
    files.push_back({{"path", file.path}, {"bytes", file.bytes}, {"sha256", file.sha256}});
  }
  const json::object all{{"format", BackupManifest::k_format},
                         {"made_at", format_time(manifest.made_ms)},
                         {"log_entries", manifest.entries},
                         {"files", std::move(files)}};
  return replace_file(folder / k_manifest_file, json::serialize(all) + "\n");
}

absl::StatusOr<BackupManifest> read_manifest(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / k_manifest_file;
  const absl::StatusOr<std::string> text = read_file(path);
  if (absl::IsNotFound(text.status())) {
    return not_found("{} is no backup, or was not finished: there is no {}", folder.string(),
                     path.string());
  }
  if (!text.ok()) return text.status();
  json::error_code error;
  const json::value all = json::parse(*text, error);
  json::error_code absent;
  const json::value* format = error ? nullptr : all.find_pointer("/format", absent);
  const json::value* files = error ? nullptr : all.find_pointer("/files", absent);
  const json::value* made = error ? nullptr : all.find_pointer("/made_at", absent);
  const json::value* entries = error ? nullptr : all.find_pointer("/log_entries", absent);
  if (format == nullptr || !format->is_int64() || files == nullptr || !files->is_array() ||
      made == nullptr || !made->is_string() || entries == nullptr || !entries->is_int64()) {
    return data_loss("{} cannot be understood", path.string());
  }
  if (format->get_int64() > BackupManifest::k_format) {
    return failed_precondition("{} has format {}, this program reads up to {}: use the newer one",
                               path.string(), format->get_int64(), BackupManifest::k_format);
  }
  BackupManifest manifest;
  VITRINE_ASSIGN_OR_RETURN(manifest.made_ms, parse_time(std::string_view(made->get_string())));
  manifest.entries = static_cast<Position>(entries->get_int64());
  for (const json::value& each : files->get_array()) {
    VITRINE_ASSIGN_OR_RETURN(BackupManifest::File file, file_of(each));
    manifest.files.push_back(std::move(file));
  }
  return manifest;
}

}  // namespace vitrine::app
