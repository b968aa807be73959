// Every row of a table that was worked out apart from this code comes out to the cent.
#include <gmock/gmock.h>

#include <algorithm>
#include <boost/json.hpp>
#include <fstream>

#include "server/coupons/stacking.h"
#include "tests/unit/coupons/carts.h"

namespace vitrine::coupons {
namespace {

namespace json = boost::json;

std::int64_t number(const json::value& object, std::string_view name, std::int64_t otherwise = 0) {
  const json::value* const found = object.as_object().if_contains(name);
  return found == nullptr ? otherwise : found->as_int64();
}
bool flag(const json::value& object, std::string_view name) {
  const json::value* const found = object.as_object().if_contains(name);
  return found != nullptr && found->as_bool();
}
std::string text(const json::value& object, std::string_view name) {
  return json::value_to<std::string>(object.at(name));
}

Cart cart_in(const json::value& stored) {
  std::vector<CartLine> lines;
  for (const json::value& line : stored.at("lines").as_array()) {
    lines.push_back({text(line, "id"),
                     text(line, "product"),
                     {number(line, "price")},
                     number(line, "quantity")});
  }
  return cart_of(std::move(lines), number(stored, "shipping"));
}

Effect effect_in(const json::value& stored) {
  Effect effect{.repeats = flag(stored, "repeat"),
                .off_basis_points = number(stored, "off"),
                .by_line = flag(stored, "by_line"),
                .gift_quantity = number(stored, "count", 1),
                .nth = number(stored, "nth", 2),
                .multiplier_hundredths = number(stored, "multiplier"),
                .bonus_points = number(stored, "bonus")};
  for (const Kind kind : k_kinds) {
    if (name_of(kind) == text(stored, "kind")) effect.kind = kind;
  }
  const json::object& fields = stored.as_object();
  if (fields.contains("gift")) effect.gift_product_id = text(stored, "gift");
  if (fields.contains("max_quantity")) effect.max_quantity = number(stored, "max_quantity");
  if (fields.contains("set")) {
    for (const json::value& part : fields.at("set").as_array()) {
      effect.set.push_back({json::value_to<std::string>(part.at(0)), part.at(1).as_int64()});
    }
  }
  return effect;
}

Amounts amounts_in(const json::value& stored) {
  Amounts amounts{.min_subtotal = {number(stored, "min_subtotal")},
                  .price = {number(stored, "price")}};
  const json::object& fields = stored.as_object();
  if (fields.contains("max_discount")) amounts.max_discount = Money{number(stored, "max_discount")};
  if (fields.contains("tiers")) {
    for (const json::value& tier : fields.at("tiers").as_array()) {
      amounts.tiers.push_back({{tier.at(0).as_int64()}, {tier.at(1).as_int64()}});
    }
  }
  return amounts;
}

Candidate candidate_in(const json::value& stored, const Cart& cart, Offers& offers) {
  const auto products = json::value_to<std::vector<std::string>>(stored.at("products"));
  std::vector<bool> covers;
  for (const CartLine& line : cart.lines) {
    covers.push_back(std::ranges::find(products, line.product_id) != products.end());
  }
  Candidate candidate{
      offers.make(text(stored, "id"), effect_in(stored), amounts_in(stored), std::move(covers)),
      {.offer_class = text(stored, "class"),
       .is_exclusive = flag(stored, "exclusive"),
       .with = json::value_to<std::vector<std::string>>(stored.at("with"))}};
  candidate.applied.priority = number(stored, "priority");
  return candidate;
}

void expect_row(const json::value& row) {
  const Cart cart = cart_in(row.at("cart"));
  Offers offers(cart.lines.size());
  std::vector<Candidate> candidates;
  for (const json::value& offer : row.at("offers").as_array()) {
    candidates.push_back(candidate_in(offer, cart, offers));
  }
  const Choice choice = choose(cart, candidates);
  std::vector<std::string> chosen;
  for (const std::size_t place : choice.chosen) {
    chosen.emplace_back(candidates[place].applied.id);
  }
  std::ranges::sort(chosen);
  EXPECT_EQ(chosen, json::value_to<std::vector<std::string>>(row.at("chosen")));
  for (std::size_t i = 0; i < cart.lines.size(); ++i) {
    EXPECT_EQ(cart.lines[i].amount().minor - choice.priced.by_line[i].minor,
              number(row.at("net"), cart.lines[i].line_id));
  }
  EXPECT_EQ(cart.shipping.minor - choice.priced.shipping_discount.minor, number(row, "shipping"));
  EXPECT_EQ(choice.priced.points, number(row, "points"));
}

TEST(PriceTableTest, EveryRowComesOutToTheCent) {
  std::ifstream table(PRICE_TABLE);
  int rows = 0;
  for (std::string line; std::getline(table, line); ++rows) {
    SCOPED_TRACE(line);
    expect_row(json::parse(line));
  }
  EXPECT_GE(rows, 200);
}

}  // namespace
}  // namespace vitrine::coupons
