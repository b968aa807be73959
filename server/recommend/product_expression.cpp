#include "server/recommend/product_expression.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <utility>

#include "base/status.h"
#include "server/expressions/conjuncts.h"
#include "server/expressions/joined_subject.h"
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"
#include "server/expressions/program.h"
#include "server/segments/person.h"
#include "server/segments/situation.h"

namespace vitrine::recommend {
namespace {

using expressions::Field;
using expressions::JoinedSubject;
using expressions::Node;
using expressions::Program;
using expressions::Schema;
using expressions::Type;

enum class Slot : std::uint8_t {
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

class ProductSubject final : public expressions::Subject {
 public:
  explicit ProductSubject(const Product& product) : product_(product) {}

  std::optional<bool> boolean(std::size_t slot) const override {
    return static_cast<Slot>(slot) == Slot::hidden ? product_.hidden : product_.in_stock;
  }

  std::optional<double> number(std::size_t slot) const override {
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

  std::optional<std::string_view> text(std::size_t slot) const override {
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

  std::span<const std::string> texts(std::size_t slot) const override {
    return static_cast<Slot>(slot) == Slot::markets ? product_.markets : product_.categories;
  }

  // A product has few attributes, and looking through them needs no string to be made.
  std::optional<std::string_view> entry(std::size_t, std::string_view key) const override {
    const auto found = std::ranges::find_if(product_.attributes,
                                            [&](const auto& entry) { return entry.first == key; });
    if (found == product_.attributes.end()) return std::nullopt;
    return found->second;
  }

  std::size_t entry_count(std::size_t) const override { return product_.attributes.size(); }

 private:
  const Product& product_;
};

}  // namespace

const Schema& product_schema() {
  static const Schema schema("a product", {k_fields.begin(), k_fields.end()});
  return schema;
}

const Schema& request_schema() {
  // Products come first: a program about them alone is asked with their own slots.
  static const Schema schema(
      "a request", std::array<const Schema*, 3>{&product_schema(), &segments::person_schema(),
                                                &segments::situation_schema()});
  return schema;
}

// What is absent holds.
struct ProductExpression::Parts {
  std::optional<Program> of_product = {};
  std::string product_text = {};  // of what is asked of products alone where that is not all
  std::optional<Program> of_visit = {};
  std::optional<Program> of_both = {};
  std::vector<std::string> segments = {};
};

absl::StatusOr<ProductExpression::Parts> ProductExpression::parts_of(const Node& tree) {
  constexpr std::uint32_t k_product = 1;
  VITRINE_ASSIGN_OR_RETURN(Program whole, Program::compile(tree, request_schema()));
  Parts parts{.segments = whole.segments()};
  if ((whole.parts() & ~k_product) == 0) {
    parts.of_product = std::move(whole);
    return parts;
  }
  std::array<std::vector<Node>, 3> groups;  // about products, the visit, both
  for (Node& part : expressions::conjuncts(tree)) {
    VITRINE_ASSIGN_OR_RETURN(const Program program, Program::compile(part, request_schema()));
    const bool asks_product = (program.parts() & k_product) != 0;
    const bool asks_visit = (program.parts() & ~k_product) != 0;
    groups.at(asks_visit ? (asks_product ? 2 : 1) : 0).push_back(std::move(part));
  }
  const std::array<std::optional<Program>*, 3> programs = {&parts.of_product, &parts.of_visit,
                                                           &parts.of_both};
  if (!groups[0].empty()) parts.product_text = expressions::print(expressions::all_of(groups[0]));
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (groups.at(i).empty()) continue;
    VITRINE_ASSIGN_OR_RETURN(
        *programs.at(i),
        Program::compile(expressions::all_of(std::move(groups.at(i))), request_schema()));
  }
  return parts;
}

absl::StatusOr<ProductExpression> ProductExpression::parse(std::string_view text) {
  VITRINE_ASSIGN_OR_RETURN(const Node tree, expressions::parse(text));
  VITRINE_ASSIGN_OR_RETURN(Parts parts, parts_of(tree));
  ProductExpression expression;
  expression.text_ = text;
  expression.parts_ = std::make_shared<const Parts>(std::move(parts));
  return expression;
}

bool ProductExpression::holds(const Product& product, TimeMs now_ms) const {
  if (parts_ == nullptr || !parts_->of_product) return true;
  return parts_->of_product->holds(ProductSubject(product), now_ms - now_ms % k_time_step_ms);
}

std::string_view ProductExpression::product_text() const {
  return asks_about_visit() ? std::string_view(parts_->product_text) : std::string_view(text_);
}

TimeMs ProductExpression::step_at(TimeMs now_ms) const {
  if (parts_ == nullptr || !parts_->of_product || !parts_->of_product->depends_on_time()) return 0;
  return now_ms / k_time_step_ms;
}

bool ProductExpression::asks_about_visit() const {
  return parts_ != nullptr && (parts_->of_visit || parts_->of_both);
}

bool ProductExpression::allows(const segments::PersonSubject& person,
                               const segments::SituationSubject& situation) const {
  if (parts_ == nullptr || !parts_->of_visit) return true;
  const JoinedSubject subject(request_schema(), {nullptr, &person, &situation});
  return parts_->of_visit->holds(subject, person.now_ms());
}

bool ProductExpression::allows(const Product& product, const segments::PersonSubject& person,
                               const segments::SituationSubject& situation) const {
  if (parts_ == nullptr || !parts_->of_both) return true;
  const ProductSubject about(product);
  const JoinedSubject subject(request_schema(), {&about, &person, &situation});
  return parts_->of_both->holds(subject, person.now_ms());
}

const std::vector<std::string>& ProductExpression::segments() const {
  static const std::vector<std::string> k_none;
  return parts_ == nullptr ? k_none : parts_->segments;
}

}  // namespace vitrine::recommend
