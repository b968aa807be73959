// The files of a trained model: the first byte says which table, the second how many rows the
// manifest promises.
#include <cstring>

#include "model/npy.h"
#include "model/table_files.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

enum Table : unsigned {
  k_products,
  k_factors,
  k_neighbors,
  k_popularity,
  k_content,
  k_popular_lists,
  k_buy_again,
  k_blends,
  k_npy,
  k_tables,
};

// Rows that no file could hold are promised as well.
std::size_t rows_of(unsigned choice) {
  if (choice < 64) return choice;
  return std::size_t{1} << (choice % 64);
}

void decode_lists(std::string_view bytes, std::size_t rows) {
  // As a mapped file lies: at an address that 8 divides.
  auto place = std::make_shared<std::vector<std::uint64_t>>((bytes.size() + 7) / 8 + 1);
  std::memcpy(place->data(), bytes.data(), bytes.size());
  const std::string_view aligned(reinterpret_cast<const char*>(place->data()), bytes.size());
  const auto table = decode_neighbors(aligned, rows, place);
  if (!table.ok()) return;
  CHECK(table->row_count() == rows, "every row has a list");
  for (std::uint32_t row = 0; row < rows; ++row) {
    for (const RelatedProduct& related : table->of(row)) {
      CHECK(related.row < rows && related.row != row, "a neighbour is another row of the table");
    }
  }
}

void decode(std::string_view bytes) {
  const unsigned table = fuzz::take_choice(bytes) % k_tables;
  const std::size_t rows = rows_of(fuzz::take_choice(bytes));
  switch (table) {
    case k_products:
      if (const auto products = decode_products(bytes, rows); products.ok()) {
        CHECK(encode_products(*products) == bytes, "ids are written as they were read");
      }
      return;
    case k_factors: {
      const unsigned dimension = fuzz::take_choice(bytes);
      static_cast<void>(decode_factors(bytes, {.dimension = dimension}, rows));
      return;
    }
    case k_neighbors:
      return decode_lists(bytes, rows);
    case k_popularity:
      static_cast<void>(decode_popularity(bytes, rows));
      return;
    case k_content:
      static_cast<void>(decode_content(bytes, rows));
      return;
    case k_popular_lists:
      static_cast<void>(decode_popular_lists(bytes, rows));
      return;
    case k_buy_again:
      static_cast<void>(decode_buy_again(bytes, rows));
      return;
    case k_blends:
      static_cast<void>(decode_blends(bytes));
      return;
    default:
      if (const auto matrix = decode_npy(bytes); matrix.ok()) {
        CHECK(matrix->values.size() == matrix->rows * matrix->columns, "a matrix is whole");
      }
  }
}

}  // namespace
}  // namespace vitrine

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::decode(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
