#include "model/model_registry.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/file.h"
#include "base/status.h"
#include "model/model_manifest.h"

namespace vitrine {
namespace {

constexpr std::string_view k_current_file = "CURRENT";
constexpr std::string_view k_lock_file = "LOCK";
constexpr std::string_view k_unfinished =
    ".unfinished";  // ending of a folder that is being written or deleted
constexpr std::size_t k_promotions_kept = 100;

// Holds the registry's lock until the end of its life; a process that dies lets go of it.
class RegistryLock {
 public:
  static absl::StatusOr<RegistryLock> take(const std::filesystem::path& folder) {
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) return internal_error("cannot create {}: {}", folder.string(), error.message());
    const std::filesystem::path path = folder / k_lock_file;
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (descriptor < 0) return internal_error("cannot open {}", path.string());
    RegistryLock lock(descriptor);
    while (::flock(descriptor, LOCK_EX) != 0) {
      if (errno != EINTR) return internal_error("cannot lock {}", path.string());
    }
    return lock;
  }
  RegistryLock(RegistryLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RegistryLock& operator=(RegistryLock&&) = delete;
  ~RegistryLock() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

 private:
  explicit RegistryLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// The names that trained models have, and nothing that leads out of the folder.
absl::Status check_name(std::string_view version) {
  const bool known = !version.empty() && version.size() <= 64 &&
                     std::all_of(version.begin(), version.end(), [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                              (c >= 'A' && c <= 'Z') || c == '-';
                     });
  if (known) return absl::OkStatus();
  return invalid_argument("a model version has 1 to 64 letters, digits and '-', got '{}'",
                          version.substr(0, 64));
}

absl::Status write_promoted(const std::filesystem::path& folder,
                            std::vector<std::string> promoted) {
  if (promoted.size() > k_promotions_kept) {
    promoted.erase(promoted.begin(),
                   promoted.end() - static_cast<std::ptrdiff_t>(k_promotions_kept));
  }
  std::string text;
  for (const std::string& version : promoted) text += version + "\n";
  return replace_file(folder / k_current_file, text);
}

// The files of a version never change, so a link is as good as a copy.
absl::Status copy_version(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::create_directory(to, error);
  if (error) return internal_error("cannot create {}: {}", to.string(), error.message());
  for (std::filesystem::directory_iterator at(from, error), end; !error && at != end;
       at.increment(error)) {
    const std::filesystem::path copy = to / at->path().filename();
    std::error_code no_link;  // another file system
    std::filesystem::create_hard_link(at->path(), copy, no_link);
    if (no_link) VITRINE_RETURN_IF_ERROR(copy_file_synced(at->path(), copy).status());
  }
  if (error) return internal_error("cannot read {}: {}", from.string(), error.message());
  return sync_folder(to);
}

}  // namespace

ModelRegistry::ModelRegistry(std::filesystem::path folder) : folder_(std::move(folder)) {}

std::filesystem::path ModelRegistry::folder_of(std::string_view version) const {
  return folder_ / version;
}

absl::StatusOr<std::vector<std::string>> ModelRegistry::promoted() const {
  const absl::StatusOr<std::string> text = read_file(folder_ / k_current_file);
  if (absl::IsNotFound(text.status())) return std::vector<std::string>{};
  if (!text.ok()) return text.status();
  std::vector<std::string> versions;
  std::string_view rest = *text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    versions.emplace_back(rest.substr(0, end));
    if (!check_name(versions.back()).ok()) {
      return data_loss("{}: line {} is no model version", (folder_ / k_current_file).string(),
                       versions.size());
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  return versions;
}

absl::StatusOr<std::optional<std::string>> ModelRegistry::current() const {
  VITRINE_ASSIGN_OR_RETURN(std::vector<std::string> versions, promoted());
  std::optional<std::string> name;
  if (!versions.empty()) name = std::move(versions.back());
  return name;
}

absl::Status ModelRegistry::publish(const TrainedModel& model, bool promote) {
  {
    VITRINE_ASSIGN_OR_RETURN(const RegistryLock lock, RegistryLock::take(folder_));
    const std::filesystem::path target = folder_of(model.version());
    std::error_code error;
    if (std::filesystem::exists(target, error)) {
      return make_status(absl::StatusCode::kAlreadyExists, "model {} is published already",
                         model.version());
    }
    std::filesystem::path unfinished = target;
    unfinished += k_unfinished;
    std::filesystem::remove_all(unfinished, error);  // left by a run that was killed
    if (const absl::Status saved = model.save(unfinished); !saved.ok()) {
      std::filesystem::remove_all(unfinished, error);  // a full disk needs the room
      return saved;
    }
    std::filesystem::rename(unfinished, target, error);
    if (error) return internal_error("cannot rename to {}: {}", target.string(), error.message());
    VITRINE_RETURN_IF_ERROR(sync_folder(folder_));
  }
  return promote ? this->promote(model.version()) : absl::OkStatus();
}

absl::Status ModelRegistry::promote(std::string_view version) {
  VITRINE_RETURN_IF_ERROR(check_name(version));
  VITRINE_ASSIGN_OR_RETURN(const RegistryLock lock, RegistryLock::take(folder_));
  std::error_code error;
  if (!std::filesystem::exists(folder_of(version) / "manifest.pb", error)) {
    return not_found("there is no model {} in {}", version, folder_.string());
  }
  VITRINE_ASSIGN_OR_RETURN(std::vector<std::string> versions, promoted());
  if (!versions.empty() && versions.back() == version) return absl::OkStatus();
  VITRINE_RETURN_IF_ERROR(load(version).status());
  versions.emplace_back(version);
  return write_promoted(folder_, std::move(versions));
}

absl::StatusOr<std::string> ModelRegistry::rollback() {
  VITRINE_ASSIGN_OR_RETURN(const RegistryLock lock, RegistryLock::take(folder_));
  VITRINE_ASSIGN_OR_RETURN(std::vector<std::string> versions, promoted());
  if (versions.size() < 2) {
    return failed_precondition("there is no model to return to: {} promoted so far",
                               versions.size());
  }
  versions.pop_back();
  std::string former = versions.back();
  std::error_code error;
  if (!std::filesystem::exists(folder_of(former) / "manifest.pb", error)) {
    return failed_precondition("model {}, which served before, is no longer there", former);
  }
  VITRINE_RETURN_IF_ERROR(load(former).status());
  VITRINE_RETURN_IF_ERROR(write_promoted(folder_, std::move(versions)));
  return former;
}

absl::StatusOr<std::vector<ModelRegistry::Version>> ModelRegistry::list() const {
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> serving, current());
  std::vector<Version> versions;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (!check_name(name).ok()) continue;
    absl::StatusOr<ModelManifest> manifest = read_manifest(entry.path());
    if (manifest.ok()) versions.push_back({name, std::move(manifest->record), serving == name});
  }
  // Names tell seconds: of two models of one second they do not say which is newer.
  std::sort(versions.begin(), versions.end(), [](const Version& a, const Version& b) {
    return std::tie(a.record.created_ms, a.name) > std::tie(b.record.created_ms, b.name);
  });
  return versions;
}

absl::StatusOr<std::vector<std::string>> ModelRegistry::prune(std::size_t keep) {
  VITRINE_ASSIGN_OR_RETURN(const RegistryLock lock, RegistryLock::take(folder_));
  VITRINE_ASSIGN_OR_RETURN(const std::vector<Version> versions, list());
  VITRINE_ASSIGN_OR_RETURN(const std::vector<std::string> history, promoted());
  const auto is_needed = [&](const std::string& name) {
    const std::size_t last = std::min<std::size_t>(2, history.size());
    return std::find(history.end() - static_cast<std::ptrdiff_t>(last), history.end(), name) !=
           history.end();
  };
  std::vector<std::string> pruned;
  for (std::size_t i = keep; i < versions.size(); ++i) {
    const std::string& name = versions[i].name;
    if (is_needed(name)) continue;
    // Renamed first: a crash while deleting leaves no half version behind.
    std::filesystem::path unfinished = folder_of(name);
    unfinished += k_unfinished;
    std::error_code error;
    std::filesystem::rename(folder_of(name), unfinished, error);
    if (!error) std::filesystem::remove_all(unfinished, error);
    if (error) return internal_error("cannot delete model {}: {}", name, error.message());
    pruned.push_back(name);
  }
  std::vector<std::string> left;
  for (const std::string& name : history) {
    if (std::find(pruned.begin(), pruned.end(), name) == pruned.end()) left.push_back(name);
  }
  if (left.size() < history.size())
    VITRINE_RETURN_IF_ERROR(write_promoted(folder_, std::move(left)));
  return pruned;
}

absl::Status ModelRegistry::copy_to(const std::filesystem::path& target) const {
  VITRINE_ASSIGN_OR_RETURN(const RegistryLock lock, RegistryLock::take(folder_));
  std::error_code error;
  if (!std::filesystem::create_directory(target, error) || error) {
    return internal_error("cannot create {}: {}", target.string(),
                          error ? error.message() : "it is there already");
  }
  VITRINE_ASSIGN_OR_RETURN(const std::vector<Version> versions, list());
  for (const Version& version : versions) {
    VITRINE_RETURN_IF_ERROR(copy_version(folder_of(version.name), target / version.name));
  }
  VITRINE_ASSIGN_OR_RETURN(std::vector<std::string> history, promoted());
  if (history.empty()) return sync_folder(target);
  return write_promoted(target, std::move(history));
}

absl::StatusOr<std::shared_ptr<const TrainedModel>> ModelRegistry::load(
    std::string_view version) const {
  VITRINE_RETURN_IF_ERROR(check_name(version));
  return TrainedModel::load(folder_of(version));
}

}  // namespace vitrine
