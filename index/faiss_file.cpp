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

// FAISS leaks what it has read so far when a file is cut off, so the length is compared with what
// the header promises before FAISS sees it. The header of an IndexFlatIP: "IxFI", dimension (4
// bytes), rows (8), 29 more bytes.
absl::Status check_flat_length(const std::filesystem::path& path) {
  constexpr std::size_t header_bytes = 45;
  char header[16] = {};
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  const auto length = static_cast<std::uint64_t>(std::max<std::streamoff>(file.tellg(), 0));
  file.seekg(0).read(header, sizeof(header));
  std::uint32_t dimension = 0;
  std::uint64_t row_count = 0;
  std::memcpy(&dimension, header + 4, sizeof(dimension));
  std::memcpy(&row_count, header + 8, sizeof(row_count));
  if (!file || std::string_view(header, 4) != "IxFI" ||
      row_count > std::numeric_limits<std::uint32_t>::max() ||
      dimension > ProductIndex::dimension_max ||
      length != header_bytes + row_count * dimension * sizeof(float)) {
    return data_loss("index file '{}' must hold a whole IndexFlatIP, got {} bytes", path.string(),
                     length);
  }
  return absl::OkStatus();
}

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
  VITRINE_RETURN_IF_ERROR(check_flat_length(path));
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
