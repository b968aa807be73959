#include "model/npy.h"

#include <fmt/core.h>

#include <bit>
#include <charconv>
#include <cstdint>
#include <cstring>

#include "base/check.h"
#include "base/status.h"

namespace vitrine {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

constexpr std::string_view k_magic("\x93NUMPY\x01\x00", 8);
constexpr std::size_t k_alignment = 64;

// What stands behind `key` in the header's Python dictionary.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t place = header.find(key);
  if (place == std::string_view::npos) return "";
  std::string_view rest = header.substr(place + key.size());
  rest.remove_prefix(std::min(rest.find(':'), rest.size() - 1) + 1);
  rest.remove_prefix(std::min(rest.find_first_not_of(' '), rest.size()));
  return rest;
}

// "(12, 64), ...": both numbers.
bool take_shape(std::string_view text, std::size_t& rows, std::size_t& columns) {
  if (text.empty() || text.front() != '(') return false;
  const char* const end = text.data() + text.size();
  const auto first = std::from_chars(text.data() + 1, end, rows);
  if (first.ec != std::errc{} || first.ptr == end || *first.ptr != ',') return false;
  const char* next = first.ptr + 1;
  while (next != end && *next == ' ') ++next;
  const auto second = std::from_chars(next, end, columns);
  return second.ec == std::errc{} && second.ptr != end &&
         (*second.ptr == ')' || *second.ptr == ',');
}

template <class T>
bool take_values(std::string_view bytes, NpyMatrix& matrix) {
  if (matrix.columns == 0 || matrix.rows > bytes.size() / sizeof(T) / matrix.columns) return false;
  const std::size_t count = matrix.rows * matrix.columns;
  if (bytes.size() != count * sizeof(T)) return false;
  std::vector<T> values(count);
  if (count > 0) std::memcpy(values.data(), bytes.data(), bytes.size());
  matrix.values.reserve(count);
  for (const T value : values) matrix.values.push_back(static_cast<float>(value));
  return true;
}

}  // namespace

std::string encode_npy(std::span<const float> values, std::size_t rows, std::size_t columns) {
  CHECK(values.size() == rows * columns, "a full matrix");
  std::string header =
      fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
  while ((k_magic.size() + 2 + header.size() + 1) % k_alignment != 0) header += ' ';
  header += '\n';
  std::string bytes(k_magic);
  bytes += static_cast<char>(header.size() & 0xFFU);
  bytes += static_cast<char>(header.size() >> 8U);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size_bytes());
  return bytes;
}

absl::StatusOr<NpyMatrix> decode_npy(std::string_view bytes) {
  if (!bytes.starts_with(k_magic) || bytes.size() < k_magic.size() + 2)
    return invalid_argument("no .npy file of version 1.0");
  const std::size_t length = static_cast<std::uint8_t>(bytes[k_magic.size()]) +
                             256U * static_cast<std::uint8_t>(bytes[k_magic.size() + 1]);
  bytes.remove_prefix(k_magic.size() + 2);
  if (length > bytes.size()) return invalid_argument("the header is cut off");
  const std::string_view header = bytes.substr(0, length);
  bytes.remove_prefix(length);
  NpyMatrix matrix;
  const std::string_view type = value_of(header, "'descr'");
  const bool is_single = type.starts_with("'<f4'");
  if ((!is_single && !type.starts_with("'<f8'")) ||
      !value_of(header, "'fortran_order'").starts_with("False") ||
      !take_shape(value_of(header, "'shape'"), matrix.rows, matrix.columns)) {
    return invalid_argument(
        "must be a matrix of little-endian float32 or float64 in C order, its header is {}",
        header);
  }
  if (is_single ? take_values<float>(bytes, matrix) : take_values<double>(bytes, matrix))
    return matrix;
  return invalid_argument("{} bytes are not {} x {} numbers", bytes.size(), matrix.rows,
                          matrix.columns);
}

}  // namespace vitrine
