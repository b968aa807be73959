// What an expression can ask about a product, and the answers of one.
//
// Thread-safety: a ProductSubject is asked from one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model/product.h"
#include "server/expressions/schema.h"

namespace vitrine::recommend {

// In the order of product_schema().
enum class ProductSlot : std::uint8_t {
  product_id,
  title,
  brand,
  categories,
  price,
  list_price,
  currency,
  in_stock,
  stock,
  markets,
  hidden,
  available_from,
  available_until,
  created_at,
  group_id,
  image_url,
  url,
  attributes
};

const expressions::Schema& product_schema();

class ProductSubject final : public expressions::Subject {
 public:
  // The product outlives it.
  explicit ProductSubject(const Product& product) : product_(product) {}

  std::optional<bool> boolean(std::size_t slot) const override;
  std::optional<double> number(std::size_t slot) const override;
  std::optional<std::string_view> text(std::size_t slot) const override;
  std::span<const std::string> texts(std::size_t slot) const override;
  std::optional<std::string_view> entry(std::size_t slot, std::string_view key) const override;
  std::size_t entry_count(std::size_t slot) const override;

 private:
  const Product& product_;
};

}  // namespace vitrine::recommend
