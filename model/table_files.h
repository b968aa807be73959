// How each table of a trained model lies in its file: bytes to table and back.
//
// A decoder checks everything that its table promises; InvalidArgument says what is wrong with the
// bytes. Thread-safe (pure functions).
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <string>
#include <string_view>

#include "model/trained_model.h"

namespace vitrine {

// Bounds of the ids in the text (row count + 1, 64 bits), then the text.
std::string encode_products(const ProductTable& products);
absl::StatusOr<ProductTable> decode_products(std::string_view bytes, std::size_t rows);

// The spectrum, then the rows without padding.
std::string encode_factors(const FactorModel& factors);
absl::StatusOr<FactorModel> decode_factors(std::string_view bytes,
                                           const FactorParameters& parameters, std::size_t rows);

// Bounds of the lists (row count + 1, 64 bits), then the entries of 16 bytes. Nothing is copied:
// `owner` keeps the bytes where they are, at an address that 8 divides.
std::string encode_neighbors(const NeighborTable& table);
absl::StatusOr<NeighborTable> decode_neighbors(std::string_view bytes, std::size_t rows,
                                               std::shared_ptr<const void> owner);

// A weight for each row.
std::string encode_popularity(const PopularityTable& table);
absl::StatusOr<PopularityTable> decode_popularity(std::string_view bytes, std::size_t rows);

// The messages ...File of trained_model.proto.
std::string encode_content(const ContentMap& map);
absl::StatusOr<ContentMap> decode_content(std::string_view bytes, std::size_t dimension);
std::string encode_popular_lists(const PopularLists& table);
absl::StatusOr<PopularLists> decode_popular_lists(std::string_view bytes, std::size_t rows);
std::string encode_buy_again(const BuyAgainTable& table);
absl::StatusOr<BuyAgainTable> decode_buy_again(std::string_view bytes, std::size_t rows);
std::string encode_blends(const BlendTable& table);
absl::StatusOr<BlendTable> decode_blends(std::string_view bytes);

}  // namespace vitrine
