#include "model/table_files.h"

#include <bit>
#include <cstdint>
#include <limits>
#include <span>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/status.h"
#include "model/proto/trained_model.pb.h"

namespace vitrine {
namespace {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

template <class T>
void append(std::string& bytes, std::span<const T> numbers) {
  bytes.append(reinterpret_cast<const char*>(numbers.data()), numbers.size_bytes());
}

// Takes numbers off the front of a file; what is missing is an error of the file.
class Cursor {
 public:
  explicit Cursor(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  bool take(std::size_t count, std::vector<T>& numbers) {
    if (count > bytes_.size() / sizeof(T)) return false;
    numbers.resize(count);
    bytes_.copy(reinterpret_cast<char*>(numbers.data()), count * sizeof(T));
    bytes_.remove_prefix(count * sizeof(T));
    return true;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

template <class Message>
absl::StatusOr<Message> parse(std::string_view bytes) {
  Message message;
  if (bytes.size() > std::numeric_limits<int>::max() ||
      !message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return invalid_argument("{} bytes are not the message that was expected", bytes.size());
  }
  return message;
}

}  // namespace

std::string encode_products(const ProductTable& products) {
  std::vector<std::uint64_t> bounds{0};
  std::string text;
  for (std::uint32_t row = 0; row < products.size(); ++row) {
    text += products.id(row);
    bounds.push_back(text.size());
  }
  std::string bytes;
  append(bytes, std::span<const std::uint64_t>(bounds));
  return bytes + text;
}

absl::StatusOr<ProductTable> decode_products(std::string_view bytes, std::size_t rows) {
  Cursor cursor(bytes);
  std::vector<std::uint64_t> bounds;
  if (!cursor.take(rows + 1, bounds)) return invalid_argument("too short for {} products", rows);
  const std::string_view text = cursor.rest();
  if (bounds.front() != 0 || bounds.back() != text.size())
    return invalid_argument("bounds do not span the ids");
  std::vector<std::string> ids;
  ids.reserve(rows);
  for (std::size_t row = 0; row < rows; ++row) {
    if (bounds[row] > bounds[row + 1] || bounds[row + 1] > text.size()) {
      return invalid_argument("the bounds of id {} do not rise", row);
    }
    ids.emplace_back(text.substr(bounds[row], bounds[row + 1] - bounds[row]));
  }
  return ProductTable::create(ids);
}

std::string encode_factors(const FactorModel& factors) {
  std::string bytes;
  bytes.reserve((factors.row_count() + 1) * factors.dimension() * sizeof(float));
  append(bytes, factors.spectrum());
  for (std::uint32_t row = 0; row < factors.row_count(); ++row) append(bytes, factors.row(row));
  return bytes;
}

absl::StatusOr<FactorModel> decode_factors(std::string_view bytes,
                                           const FactorParameters& parameters, std::size_t rows) {
  Cursor cursor(bytes);
  std::vector<float> spectrum;
  std::vector<float> factors;
  if (!cursor.take(parameters.dimension, spectrum) ||
      !cursor.take(rows * parameters.dimension, factors) || !cursor.rest().empty()) {
    return invalid_argument("{} bytes are not {} rows of {} factors", bytes.size(), rows,
                            parameters.dimension);
  }
  return FactorModel::restore(parameters, factors, spectrum);
}

std::string encode_neighbors(const NeighborTable& table) {
  std::string bytes;
  append(bytes, table.bounds());
  append(bytes, table.entries());
  return bytes;
}

absl::StatusOr<NeighborTable> decode_neighbors(std::string_view bytes, std::size_t rows,
                                               std::shared_ptr<const void> owner) {
  static_assert(sizeof(RelatedProduct) == 16 && alignof(RelatedProduct) <= alignof(std::uint64_t));
  const auto wrong = [&] {
    return invalid_argument("{} bytes do not hold the lists of {} rows", bytes.size(), rows);
  };
  const std::size_t bounds_bytes = (rows + 1) * sizeof(std::uint64_t);
  if (bytes.size() / sizeof(std::uint64_t) <= rows) return wrong();
  CHECK(reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(std::uint64_t) == 0,
        "a file is read from an aligned place");
  const std::span bounds(reinterpret_cast<const std::uint64_t*>(bytes.data()), rows + 1);
  const std::size_t entries_bytes = bytes.size() - bounds_bytes;
  if (entries_bytes / sizeof(RelatedProduct) != bounds.back() ||
      entries_bytes % sizeof(RelatedProduct) != 0) {
    return wrong();
  }
  const auto* const entries = reinterpret_cast<const RelatedProduct*>(bytes.data() + bounds_bytes);
  return NeighborTable::borrow(bounds, {entries, bounds.back()}, std::move(owner));
}

absl::StatusOr<PopularityTable> decode_popularity(std::string_view bytes, std::size_t rows) {
  Cursor cursor(bytes);
  std::vector<float> weights;
  if (!cursor.take(rows, weights) || !cursor.rest().empty()) {
    return invalid_argument("{} bytes are not {} weights", bytes.size(), rows);
  }
  return PopularityTable::create(std::move(weights));
}

std::string encode_popularity(const PopularityTable& table) {
  std::string bytes;
  append(bytes, table.weights());
  return bytes;
}

std::string encode_content(const ContentMap& map) {
  proto::ContentMapFile file;
  const ContentFeatures& features = map.features();
  file.mutable_features()->Assign(features.names().begin(), features.names().end());
  file.mutable_scales()->Assign(features.scales().begin(), features.scales().end());
  for (const auto& [currency, begins] : features.bands()) {
    proto::PriceBandsOfCurrency& bands = *file.add_bands();
    bands.set_currency(currency);
    bands.mutable_begins()->Assign(begins.begin(), begins.end());
  }
  file.mutable_mean()->Assign(map.mean().begin(), map.mean().end());
  file.mutable_weights()->Assign(map.weights().begin(), map.weights().end());
  return file.SerializeAsString();
}

absl::StatusOr<ContentMap> decode_content(std::string_view bytes, std::size_t dimension) {
  VITRINE_ASSIGN_OR_RETURN(const auto file, parse<proto::ContentMapFile>(bytes));
  if (static_cast<std::size_t>(file.mean_size()) != dimension)
    return invalid_argument("the map is for {} dimensions, not {}", file.mean_size(), dimension);
  PriceBands bands;
  for (const proto::PriceBandsOfCurrency& one : file.bands())
    bands[one.currency()].assign(one.begins().begin(), one.begins().end());
  VITRINE_ASSIGN_OR_RETURN(
      ContentFeatures features,
      ContentFeatures::create({file.features().begin(), file.features().end()},
                              {file.scales().begin(), file.scales().end()}, std::move(bands)));
  return ContentMap::create(std::move(features), {file.mean().begin(), file.mean().end()},
                            {file.weights().begin(), file.weights().end()});
}

std::string encode_popular_lists(const PopularLists& table) {
  proto::PopularListsFile file;
  for (const auto& [group, products] : table.lists()) {
    proto::PopularList& list = *file.add_lists();
    list.set_group(group);
    for (const PopularProduct& one : products) {
      list.add_rows(one.row);
      list.add_weights(one.weight);
    }
  }
  return file.SerializeAsString();
}

absl::StatusOr<PopularLists> decode_popular_lists(std::string_view bytes, std::size_t rows) {
  VITRINE_ASSIGN_OR_RETURN(const auto file, parse<proto::PopularListsFile>(bytes));
  PopularLists::Lists lists;
  for (const proto::PopularList& one : file.lists()) {
    if (one.rows_size() != one.weights_size()) {
      return invalid_argument("'{}' has {} rows, but {} weights", one.group(), one.rows_size(),
                              one.weights_size());
    }
    std::vector<PopularProduct>& products = lists[one.group()];
    for (int i = 0; i < one.rows_size(); ++i) products.push_back({one.rows(i), one.weights(i)});
  }
  return PopularLists::create(std::move(lists), rows);
}

std::string encode_buy_again(const BuyAgainTable& table) {
  proto::BuyAgainFile file;
  for (const BuyAgain& again : table.rows()) {
    file.add_days(again.days);
    file.add_repeats(again.repeats);
  }
  for (const auto& [path, again] : table.categories()) {
    proto::CategoryBuyAgain& category = *file.add_categories();
    category.set_category(path);
    category.set_days(again.days);
    category.set_repeats(again.repeats);
  }
  for (const auto& [path, share] : table.repeat_shares()) {
    proto::CategoryRepeatShare& category = *file.add_repeat_shares();
    category.set_category(path);
    category.set_share(share);
  }
  return file.SerializeAsString();
}

absl::StatusOr<BuyAgainTable> decode_buy_again(std::string_view bytes, std::size_t rows) {
  VITRINE_ASSIGN_OR_RETURN(const auto file, parse<proto::BuyAgainFile>(bytes));
  if (static_cast<std::size_t>(file.days_size()) != rows ||
      static_cast<std::size_t>(file.repeats_size()) != rows) {
    return invalid_argument("{} days and {} repeats are not those of {} rows", file.days_size(),
                            file.repeats_size(), rows);
  }
  std::vector<BuyAgain> by_row;
  by_row.reserve(rows);
  for (int row = 0; row < file.days_size(); ++row)
    by_row.push_back({file.days(row), file.repeats(row)});
  BuyAgainTable::Categories categories;
  for (const proto::CategoryBuyAgain& one : file.categories())
    categories[one.category()] = {one.days(), one.repeats()};
  BuyAgainTable::RepeatShares shares;
  for (const proto::CategoryRepeatShare& one : file.repeat_shares())
    shares[one.category()] = one.share();
  return BuyAgainTable::create(std::move(by_row), std::move(categories), std::move(shares));
}

std::string encode_blends(const BlendTable& table) {
  const auto add = [](const BlendWeights& weights, auto* inputs) {
    for (const auto& [name, weight] : weights) {
      proto::BlendInput& input = *inputs->Add();
      input.set_name(name);
      input.set_weight(weight);
    }
  };
  proto::BlendFile file;
  for (const auto& [placement, blend] : table.placements()) {
    proto::PlacementBlend& one = *file.add_placements();
    one.set_placement(placement);
    one.set_bias(blend.bias);
    add(blend.sources, one.mutable_sources());
    add(blend.depths, one.mutable_depths());
    add(blend.features, one.mutable_features());
  }
  return file.SerializeAsString();
}

absl::StatusOr<BlendTable> decode_blends(std::string_view bytes) {
  VITRINE_ASSIGN_OR_RETURN(const auto file, parse<proto::BlendFile>(bytes));
  const auto weights_of = [](const auto& inputs) {
    BlendWeights weights;
    for (const proto::BlendInput& input : inputs) weights[input.name()] = input.weight();
    return weights;
  };
  BlendTable::Placements placements;
  for (const proto::PlacementBlend& one : file.placements()) {
    placements[one.placement()] = {.bias = one.bias(),
                                   .sources = weights_of(one.sources()),
                                   .depths = weights_of(one.depths()),
                                   .features = weights_of(one.features())};
  }
  return BlendTable::create(std::move(placements));
}

}  // namespace vitrine
