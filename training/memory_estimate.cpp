#include "training/memory_estimate.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>

#include "base/status.h"
#include "model/aligned_floats.h"

namespace vitrine::training {
namespace {

// A fact while reading, and a pair in the tables by user, by product, seen and bought.
constexpr std::uint64_t k_interaction_bytes = 40 + 8 + 8 + 4 + 8;
// An id: its text, its place in the map and its bounds.
constexpr std::uint64_t k_id_bytes = 160;
constexpr std::uint64_t k_base_bytes = std::uint64_t{64} << 20U;

// Reads up to `bytes.size()` bytes as text, unpacked when they are packed.
std::string first_bytes(const std::filesystem::path& path, std::size_t count) {
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> file(::gzopen(path.c_str(), "rb"), ::gzclose);
  if (file == nullptr) return "";
  std::string text(count, '\0');
  const int read = ::gzread(file.get(), text.data(), static_cast<unsigned>(count));
  text.resize(read > 0 ? static_cast<std::size_t>(read) : 0);
  return text;
}

bool is_packed(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return file.get() == 0x1F && file.get() == 0x8B;
}

double gibibytes(std::uint64_t bytes) {
  return static_cast<double>(bytes) / static_cast<double>(1U << 30U);
}

}  // namespace

std::uint64_t training_bytes(const TrainingSize& size) {
  const std::uint64_t stride = padded_dimension(size.dimension);
  const std::uint64_t rows = size.users + size.products;
  // The factors, and those of the products once more in the finished model and its files.
  const std::uint64_t factors = (rows + 3 * size.products) * stride * sizeof(float);
  const std::uint64_t squares = (16 * 12 + size.threads * 12ULL) * stride * stride;
  return k_base_bytes + size.interactions * k_interaction_bytes + rows * k_id_bytes + factors +
         squares;
}

std::uint64_t interactions_of_file(const std::filesystem::path& path) {
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(path, error);
  if (error) return 0;
  const std::string text = first_bytes(path, std::size_t{1} << 20U);
  if (text.empty()) return 0;
  const std::uint64_t unpacked = is_packed(path) ? 4 * bytes : bytes;
  const auto count = [&](char c) {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), c));
  };
  // Lines of pairs or of CSV hold one each; lines of the LightGCN form one a blank.
  const std::string_view first_line = std::string_view(text).substr(0, text.find('\n'));
  const bool is_by_user =
      first_line.find('\t') == std::string::npos && first_line.find(',') == std::string::npos;
  const std::uint64_t found = std::max<std::uint64_t>(1, is_by_user ? count(' ') : count('\n'));
  const auto share = static_cast<double>(unpacked) / static_cast<double>(text.size());
  return static_cast<std::uint64_t>(static_cast<double>(found) * std::max(1.0, share));
}

std::uint64_t free_memory_bytes() {
  std::ifstream facts("/proc/meminfo");
  std::string name;
  std::uint64_t kibibytes = 0;
  std::string unit;
  while (facts >> name >> kibibytes) {
    if (name == "MemAvailable:") return kibibytes * 1024 / 10 * 9;
    std::getline(facts, unit);
  }
  return 0;
}

absl::Status check_memory(const TrainingSize& size, std::uint64_t limit) {
  const std::uint64_t bytes = training_bytes(size);
  if (limit == 0 || bytes <= limit) return absl::OkStatus();
  return make_status(
      absl::StatusCode::kResourceExhausted,
      "training needs about {:.2f} GiB ({} interactions, {} users, {} products, {} dimensions), "
      "{:.2f} GiB may be used: lower --dims, leave out older events, or raise --memory-limit",
      gibibytes(bytes), size.interactions, size.users, size.products, size.dimension,
      gibibytes(limit));
}

}  // namespace vitrine::training
