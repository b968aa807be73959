// Expressions as shops write them, of products, people, sessions, carts and contexts: what can be
// read prints, reads again as the same, and answers.
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"
#include "server/recommend/product_expression.h"
#include "server/segments/person.h"
#include "server/segments/situation.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine {
namespace {

Product cup() {
  Product product;
  product.product_id = "cup";
  product.brand = "acme";
  product.categories = {"Home > Kitchen"};
  product.price = Money{1990};
  product.currency = "EUR";
  product.attributes = {{"color", "red"}};
  return product;
}

// Somebody who looked at a cup, has it in the cart, and did nothing else ever.
void ask_about_visit(std::string_view text, const recommend::ProductExpression& expression) {
  const Product product = cup();
  const segments::Surroundings around;
  const profiles::Profile nobody;
  const segments::PersonSubject person(UserNumber(1), true, nobody, 0, around);
  const segments::SituationSubject situation({.session = {{"cup", &product}},
                                              .cart = {{.product_id = "cup", .product = &product}},
                                              .placement = "home",
                                              .channel = "app"});
  const bool allows =
      expression.allows(person, situation) && expression.allows(product, person, situation);
  const auto audience = segments::Audience::parse(text);
  if (!audience.ok()) return;
  CHECK(audience->holds(person, situation) == (allows && expression.holds(product, 0)),
        "what speaks of the visit alone is the same asked of a request and of an audience");
}

void read(std::string_view text) {
  const auto tree = expressions::parse(text);
  if (!tree.ok()) return;
  const auto again = expressions::parse(expressions::print(*tree), {.bytes_max = 1 << 20});
  CHECK(again.ok() && *again == *tree, "an expression is read as it is printed");
  const auto expression = recommend::ProductExpression::parse(text);
  if (!expression.ok()) return;
  const bool holds = expression->holds(cup(), 0);
  CHECK(holds == expression->holds(cup(), 1), "an answer stays as it is within an hour");
  ask_about_visit(text, *expression);
}

}  // namespace
}  // namespace vitrine

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::read(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
