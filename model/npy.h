// Matrices of single precision in NumPy's .npy format, version 1.0.
//
// Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

struct NpyMatrix {
  std::size_t rows = 0;
  std::size_t columns = 0;
  std::vector<float> values;  // row-major
};

// The bytes of the file. Precondition, checked: rows * columns values.
std::string encode_npy(std::span<const float> values, std::size_t rows, std::size_t columns);

// InvalidArgument unless it is a matrix of little-endian float32 or float64 in C order.
absl::StatusOr<NpyMatrix> decode_npy(std::string_view bytes);

}  // namespace vitrine
