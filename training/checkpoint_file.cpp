#include "training/checkpoint_file.h"

#include <cstring>
#include <string_view>
#include <system_error>

#include "base/crypto.h"
#include "base/file.h"
#include "base/status.h"

namespace vitrine::training {
namespace {

constexpr std::string_view k_magic = "VTRCKPT1";
constexpr std::size_t k_digest_bytes = 32;

// What comes before the factors.
struct Head {
  char magic[8];
  char fingerprint[64];
  std::uint64_t epochs_done;
  std::uint64_t user_floats;
  std::uint64_t product_floats;
};
static_assert(sizeof(Head) == 96);

template <class T>
std::string_view bytes_of(std::span<const T> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes()};
}

std::string_view bytes_of(const Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

}  // namespace

std::string fingerprint_of(const Dataset& data, const AlsOptions& options) {
  Sha256Stream stream;
  const FactorParameters& factors = options.factors;
  stream.add(fmt::format("{} {} {} {} {} {}\n", factors.dimension, factors.alpha0, factors.lambda,
                         factors.nu, options.seed, static_cast<int>(options.solver)));
  stream.add(fmt::format("{} {}\n", data.users.size(), data.products.size()));
  stream.add(bytes_of(std::span<const std::uint64_t>(data.by_user.bounds)));
  stream.add(bytes_of(std::span<const std::uint32_t>(data.by_user.columns)));
  stream.add(bytes_of(std::span<const float>(data.by_user.values)));
  return to_hex(stream.digest());
}

absl::Status CheckpointFile::save(const AlsCheckpoint& checkpoint) const {
  Head head{};
  std::memcpy(head.magic, k_magic.data(), sizeof head.magic);
  std::memcpy(head.fingerprint, fingerprint_.data(),
              std::min(fingerprint_.size(), sizeof head.fingerprint));
  head.epochs_done = checkpoint.epochs_done;
  head.user_floats = checkpoint.user_factors.size();
  head.product_floats = checkpoint.product_factors.size();
  std::string content;
  content.reserve(sizeof head + checkpoint.user_factors.size_bytes() +
                  checkpoint.product_factors.size_bytes() + k_digest_bytes);
  content.append(reinterpret_cast<const char*>(&head), sizeof head);
  content.append(bytes_of(checkpoint.user_factors));
  content.append(bytes_of(checkpoint.product_factors));
  content.append(bytes_of(sha256(content)));
  if (path_.has_parent_path()) {
    std::error_code error;
    std::filesystem::create_directories(path_.parent_path(), error);
    if (error)
      return internal_error("cannot create {}: {}", path_.parent_path().string(), error.message());
  }
  return replace_file(path_, content);
}

absl::StatusOr<std::optional<SavedCheckpoint>> CheckpointFile::load() const {
  const absl::StatusOr<MappedFile> file = MappedFile::open(path_);
  if (absl::IsNotFound(file.status())) return std::nullopt;
  if (!file.ok()) return file.status();
  const std::string_view text = file->text();
  const auto damaged = [&] {
    return data_loss("{}: the checkpoint is damaged; train again without --resume", path_.string());
  };
  if (text.size() < sizeof(Head) + k_digest_bytes || !text.starts_with(k_magic)) return damaged();
  const std::string_view content = text.substr(0, text.size() - k_digest_bytes);
  if (bytes_of(sha256(content)) != text.substr(content.size())) return damaged();
  Head head{};
  std::memcpy(&head, content.data(), sizeof head);
  if (std::string_view(head.fingerprint, sizeof head.fingerprint) != fingerprint_) {
    return failed_precondition(
        "{}: the checkpoint is of other data or another recipe; train again without --resume, or "
        "fix the data with --until",
        path_.string());
  }
  const std::size_t floats = (content.size() - sizeof head) / sizeof(float);
  if (head.user_floats > floats || head.product_floats != floats - head.user_floats)
    return damaged();
  SavedCheckpoint saved;
  saved.epochs_done = static_cast<std::uint32_t>(head.epochs_done);
  saved.user_factors.resize(head.user_floats);
  saved.product_factors.resize(head.product_floats);
  const char* const factors = content.data() + sizeof head;
  std::memcpy(saved.user_factors.data(), factors, head.user_floats * sizeof(float));
  std::memcpy(saved.product_factors.data(), factors + head.user_floats * sizeof(float),
              head.product_floats * sizeof(float));
  return saved;
}

void CheckpointFile::remove() const {
  std::error_code ignored;  // what is left behind is refused by its fingerprint or read again
  std::filesystem::remove(path_, ignored);
}

}  // namespace vitrine::training
