#include "index/faiss_file.h"

#include <faiss/index_io.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <fstream>
#include <limits>
#include <string_view>
#include <system_error>
#include <tuple>

#include "base/status.h"

namespace vitrine::index {
namespace {

// Steps over what FAISS would read, and believes no length that the file does not have: FAISS would
// ask for that much memory, and leaks what it has read so far when the file is cut off.
class FileWalk {
 public:
  explicit FileWalk(const std::filesystem::path& path)
      : file_(path, std::ios::binary | std::ios::ate),
        left_(static_cast<std::uint64_t>(std::max<std::streamoff>(file_.tellg(), 0))) {
    file_.seekg(0);
  }

  // Whether the file is one IndexFlatIP from its first byte to its last.
  bool is_flat() {
    std::uint64_t count = 0;
    return header("IxFI") && take(&count, sizeof count) && count == floats_ &&
           left_ / sizeof(float) == count && left_ % sizeof(float) == 0;
  }

  // The same for an IndexHNSWFlat by inner product.
  bool is_graph() {
    constexpr std::uint64_t numbers_bytes = 5 * sizeof(std::int32_t);  // entry point to beam width
    const bool has_links = header("IHNf") && vector(sizeof(double)) && vector(sizeof(int)) &&
                           vector(sizeof(int)) && vector(sizeof(std::uint64_t)) &&
                           vector(sizeof(std::int32_t)) && skip(numbers_bytes);
    return has_links && is_flat();
  }

 private:
  bool skip(std::uint64_t bytes) {
    if (!file_ || bytes > left_) return false;
    left_ -= bytes;
    file_.seekg(static_cast<std::streamoff>(bytes), std::ios::cur);
    return true;
  }
  bool take(void* to, std::size_t bytes) {
    if (bytes > left_) return false;
    left_ -= bytes;
    return static_cast<bool>(
        file_.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes)));
  }
  // The kind, dimension, rows, two numbers nobody reads, trained or not, and the metric: by inner
  // product, because others have an argument behind them.
  bool header(std::string_view kind) {
    char read[k_header_bytes] = {};
    if (!take(read, sizeof read) || std::string_view(read, kind.size()) != kind) return false;
    std::int32_t dimension = 0;
    std::int64_t rows = 0;
    std::int32_t metric = 0;
    std::memcpy(&dimension, read + 4, sizeof dimension);
    std::memcpy(&rows, read + 8, sizeof rows);
    std::memcpy(&metric, read + k_header_bytes - sizeof metric, sizeof metric);
    floats_ = static_cast<std::uint64_t>(rows) * static_cast<std::uint32_t>(dimension);
    return dimension > 0 && static_cast<std::size_t>(dimension) <= ProductIndex::dimension_max &&
           rows >= 0 && rows <= std::numeric_limits<std::uint32_t>::max() &&
           metric == faiss::METRIC_INNER_PRODUCT;
  }
  bool vector(std::uint64_t element_bytes) {
    std::uint64_t count = 0;
    return take(&count, sizeof count) && count <= left_ / element_bytes &&
           skip(count * element_bytes);
  }

  static constexpr std::size_t k_header_bytes = 37;
  std::ifstream file_;
  std::uint64_t left_;
  std::uint64_t floats_ = 0;  // that the last header promises; checked before they are counted on
};

absl::Status check_exists(const std::filesystem::path& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return absl::OkStatus();
  return not_found("no index file '{}'", path.string());
}

}  // namespace

absl::Status write_flat(std::span<const VectorTable> parts, const std::filesystem::path& path) {
  faiss::IndexFlatIP flat(static_cast<faiss::Index::idx_t>(parts.front().dimension));
  for (const VectorTable& part : parts) {
    for (std::size_t row = 0; row < part.row_count; ++row) {
      flat.add(1, part.values + row * part.stride);
    }
  }
  return write_faiss(flat, path);
}

absl::Status write_faiss(const faiss::Index& index, const std::filesystem::path& path) {
  try {
    faiss::write_index(&index, path.c_str());
  } catch (const std::exception& error) {
    return unavailable("index file '{}' cannot be written: {}", path.string(), error.what());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::unique_ptr<faiss::IndexFlat>> read_flat(const std::filesystem::path& path) {
  VITRINE_RETURN_IF_ERROR(check_exists(path));
  if (!FileWalk(path).is_flat()) {
    return data_loss("index file '{}' must hold a whole IndexFlatIP", path.string());
  }
  VITRINE_ASSIGN_OR_RETURN(std::unique_ptr<faiss::Index> read, read_faiss(path));
  auto* flat = dynamic_cast<faiss::IndexFlat*>(read.get());
  if (flat == nullptr || flat->metric_type != faiss::METRIC_INNER_PRODUCT) {
    return data_loss("index file '{}' must hold an IndexFlatIP", path.string());
  }
  const VectorTable table = table_of(*flat);
  if (flat->codes.size() != table.row_count * table.dimension * sizeof(float)) {
    return data_loss("index file '{}' must hold {} rows of {} floats, holds {} bytes",
                     path.string(), table.row_count, table.dimension, flat->codes.size());
  }
  std::ignore = read.release();  // it is `flat`
  return std::unique_ptr<faiss::IndexFlat>(flat);
}

absl::StatusOr<std::unique_ptr<faiss::Index>> read_graph(const std::filesystem::path& path) {
  VITRINE_RETURN_IF_ERROR(check_exists(path));
  if (!FileWalk(path).is_graph()) {
    return data_loss("index file '{}' must hold a whole IndexHNSWFlat by inner product",
                     path.string());
  }
  return read_faiss(path);
}

absl::StatusOr<std::unique_ptr<faiss::Index>> read_faiss(const std::filesystem::path& path) {
  VITRINE_RETURN_IF_ERROR(check_exists(path));
  try {
    return std::unique_ptr<faiss::Index>(faiss::read_index(path.c_str()));
  } catch (const std::exception& error) {
    return data_loss("index file '{}' cannot be read: {}", path.string(), error.what());
  }
}

VectorTable table_of(const faiss::IndexFlat& flat) {
  const auto dimension = static_cast<std::size_t>(flat.d);
  return {reinterpret_cast<const float*>(flat.codes.data()), static_cast<std::size_t>(flat.ntotal),
          dimension, dimension};
}

}  // namespace vitrine::index
