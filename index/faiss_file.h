// Files in FAISS's own formats, read and written without its exceptions.
//
// Inside index/ only, because it shows FAISS. Thread-safe.
#pragma once

#include <absl/status/statusor.h>
#include <faiss/IndexFlat.h>

#include <filesystem>
#include <memory>
#include <span>

#include "index/product_index.h"

namespace vitrine::index {

// Writes the rows of all parts, one part after the other, as an IndexFlatIP.
// Errors   Unavailable: the file cannot be written
absl::Status write_flat(std::span<const VectorTable> parts, const std::filesystem::path& path);

// Errors   Unavailable: the file cannot be written
absl::Status write_faiss(const faiss::Index& index, const std::filesystem::path& path);

// Reads any IndexFlatIP. Errors   NotFound: no such file. DataLoss: not such an index, or cut off
absl::StatusOr<std::unique_ptr<faiss::IndexFlat>> read_flat(const std::filesystem::path& path);

// Reads any IndexHNSWFlat by inner product. What its links say is not looked at. Errors   NotFound:
// no such file. DataLoss: not such an index, or cut off
absl::StatusOr<std::unique_ptr<faiss::Index>> read_graph(const std::filesystem::path& path);

// Reads whatever FAISS knows to read. A file that was cut off may leak what was read of it.
// Errors   NotFound: no such file. DataLoss: FAISS refuses it
absl::StatusOr<std::unique_ptr<faiss::Index>> read_faiss(const std::filesystem::path& path);

// The rows of a flat index, in its own memory.
VectorTable table_of(const faiss::IndexFlat& flat);

}  // namespace vitrine::index
