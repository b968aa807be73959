#include "server/recommend/product_subject.h"

#include <algorithm>
#include <array>

namespace vitrine::recommend {
namespace {

using expressions::Field;
using expressions::Schema;
using expressions::Type;
using Slot = ProductSlot;

// In the order of the slots.
constexpr std::array<Field, 18> k_fields = {{
    {"product_id", Type::text, "The product's id"},
    {"title", Type::text, "The title"},
    {"brand", Type::text, "The brand"},
    {"categories", Type::paths, "The category paths; \"Home\" is in \"Home > Kitchen\""},
    {"price", Type::number, "The price, in the product's currency"},
    {"list_price", Type::number, "The price before a reduction"},
    {"currency", Type::text, "Three capital letters, as ISO 4217 writes them"},
    {"in_stock", Type::boolean, "Whether it can be bought"},
    {"stock", Type::number, "Pieces in stock, where the shop counts them"},
    {"markets", Type::texts, "Where it is sold; empty: everywhere"},
    {"hidden", Type::boolean, "Whether the shop hides it"},
    {"available_from", Type::time, "When it begins to be sold"},
    {"available_until", Type::time, "When it ceases to be sold"},
    {"created_at", Type::time, "When the shop made it"},
    {"group_id", Type::text, "What variants of one product share"},
    {"image_url", Type::text, "The picture"},
    {"url", Type::text, "The page"},
    {"attributes", Type::map, "Named texts: attributes.color, attributes[\"size eu\"]"},
}};

std::optional<double> time_of(const std::optional<TimeMs>& time) {
  return time ? std::optional<double>(static_cast<double>(*time)) : std::nullopt;
}

std::optional<std::string_view> text_of(const std::string& text) {
  return text.empty() ? std::nullopt : std::optional<std::string_view>(text);
}

// 19.9 for 1990 minor units of EUR: dividing rounds to the same number that reading "19.90" gives.
std::optional<double> amount_of(const std::optional<Money>& money, const std::string& currency) {
  if (!money) return std::nullopt;
  static constexpr std::array<double, 4> k_units = {1, 10, 100, 1000};
  const auto digits = static_cast<std::size_t>(currency_digits(currency));
  return static_cast<double>(money->minor) / k_units.at(digits);
}

}  // namespace

const Schema& product_schema() {
  static const Schema schema("a product", {k_fields.begin(), k_fields.end()});
  return schema;
}

std::optional<bool> ProductSubject::boolean(std::size_t slot) const {
  return static_cast<Slot>(slot) == Slot::hidden ? product_.hidden : product_.in_stock;
}

std::optional<double> ProductSubject::number(std::size_t slot) const {
  switch (static_cast<Slot>(slot)) {
    case Slot::price:
      return amount_of(product_.price, product_.currency);
    case Slot::list_price:
      return amount_of(product_.list_price, product_.currency);
    case Slot::stock:
      return product_.stock ? std::optional<double>(static_cast<double>(*product_.stock))
                            : std::nullopt;
    case Slot::available_from:
      return time_of(product_.available_from_ms);
    case Slot::available_until:
      return time_of(product_.available_until_ms);
    case Slot::created_at:
      return product_.created_at_ms == 0 ? std::nullopt : time_of(product_.created_at_ms);
    default:
      return std::nullopt;
  }
}

std::optional<std::string_view> ProductSubject::text(std::size_t slot) const {
  switch (static_cast<Slot>(slot)) {
    case Slot::product_id:
      return product_.product_id;
    case Slot::title:
      return text_of(product_.title);
    case Slot::brand:
      return text_of(product_.brand);
    case Slot::currency:
      return text_of(product_.currency);
    case Slot::group_id:
      return text_of(product_.group_id);
    case Slot::image_url:
      return text_of(product_.image_url);
    case Slot::url:
      return text_of(product_.url);
    default:
      return std::nullopt;
  }
}

std::span<const std::string> ProductSubject::texts(std::size_t slot) const {
  return static_cast<Slot>(slot) == Slot::markets ? product_.markets : product_.categories;
}

// A product has few attributes, and looking through them needs no string to be made.
std::optional<std::string_view> ProductSubject::entry(std::size_t, std::string_view key) const {
  const auto found = std::ranges::find_if(product_.attributes,
                                          [&](const auto& entry) { return entry.first == key; });
  if (found == product_.attributes.end()) return std::nullopt;
  return found->second;
}

std::size_t ProductSubject::entry_count(std::size_t) const { return product_.attributes.size(); }

}  // namespace vitrine::recommend
