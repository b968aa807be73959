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
#include "training/parallel.h"

namespace vitrine::training {
namespace {

// A fact is 32 bytes, and was copied when its vector grew last; a view is 16. The pairs by user, by
// product, seen and bought, which take the place of both, are less.
constexpr std::uint64_t k_read_interaction_bytes = 2 * 32 + 16 + 4;
// A pair of both tables with its confidence, seen, bought, in an order; a look and a repeat.
constexpr std::uint64_t k_kept_interaction_bytes = 8 + 8 + 4 + 8 + 4 + 4 + 8;
// An id: its text, its place in the map and its bounds.
constexpr std::uint64_t k_id_bytes = 160;
// A product of a market, in a tree and in a list.
constexpr std::uint64_t k_market_product_bytes = 96;
// Rows that are solved side by side have at most so many columns together.
constexpr std::uint64_t k_lane_rows = 16 * 24;
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

// Beside data and factors: a checkpoint that is being written, and what the threads work on.
std::uint64_t solving_bytes(const TrainingSize& size, std::uint64_t stride) {
  const std::uint64_t checkpoint = (size.users + size.products) * stride * sizeof(float);
  const std::uint64_t row = std::max(size.longest_row, k_lane_rows) * stride * sizeof(float);
  const std::uint64_t squares = (16 * 12 + size.threads * 12ULL) * stride * stride;
  return checkpoint + size.threads * row + squares;
}

// Beside data and factors: tables and the bytes of their files, where the room of the lists that
// tables are made of may not be free for others yet. The search for similar products is less.
std::uint64_t finishing_bytes(const TrainingSize& size, std::uint64_t stride) {
  const std::uint64_t tables = 1 + (size.orders > 0 ? 1 : 0) + (size.sessions > 0 ? 1 : 0);
  const std::uint64_t list = size.similar_max * sizeof(RelatedProduct) + 5 * sizeof(std::uint64_t);
  return size.products * (3 * tables * list + 2 * stride * sizeof(float));
}

std::uint64_t longest_row_of(const SparseRows& rows) {
  std::uint64_t longest = 0;
  for (std::size_t row = 0; row < rows.row_count(); ++row)
    longest = std::max<std::uint64_t>(longest, rows.columns_of(row).size());
  return longest;
}

}  // namespace

TrainingSize training_size(const Dataset& data, const AlsOptions& options) {
  TrainingSize size{.interactions = data.interactions,
                    .users = data.users.size(),
                    .products = data.products.size(),
                    .orders = data.orders.row_count(),
                    .sessions = data.views.session_count(),
                    .dimension = options.factors.dimension,
                    .threads = thread_count_of(options.threads)};
  for (const auto& [market, products] : data.popularity_by_market)
    size.market_products += products.size();
  size.longest_row = std::max(longest_row_of(data.by_user), longest_row_of(data.by_product));
  return size;
}

std::uint64_t training_bytes(const TrainingSize& size) {
  const std::uint64_t stride = padded_dimension(size.dimension);
  const std::uint64_t texts =
      (size.users + size.products + size.orders + size.sessions) * k_id_bytes +
      size.market_products * k_market_product_bytes;
  const std::uint64_t factors = (size.users + size.products) * stride * sizeof(float);
  const std::uint64_t reading = size.interactions * k_read_interaction_bytes;
  const std::uint64_t learning =
      size.interactions * k_kept_interaction_bytes + factors +
      std::max(solving_bytes(size, stride), finishing_bytes(size, stride));
  return k_base_bytes + texts + std::max(reading, learning);
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
