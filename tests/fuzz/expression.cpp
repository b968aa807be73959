// Expressions as shops write them: what can be read prints, reads again as the same, and answers.
#include "server/expressions/parser.h"
#include "server/expressions/printer.h"
#include "server/recommend/product_expression.h"
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

void read(std::string_view text) {
  const auto tree = expressions::parse(text);
  if (!tree.ok()) return;
  const auto again = expressions::parse(expressions::print(*tree), {.bytes_max = 1 << 20});
  CHECK(again.ok() && *again == *tree, "an expression is read as it is printed");
  const auto expression = recommend::ProductExpression::parse(text);
  if (!expression.ok()) return;
  const bool holds = expression->holds(cup(), 0);
  CHECK(holds == expression->holds(cup(), 1), "an answer stays as it is within an hour");
}

}  // namespace
}  // namespace vitrine

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::read(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
