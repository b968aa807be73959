#include "server/recommend/product_expression.h"

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

using expressions::JoinedSubject;
using expressions::Node;
using expressions::Program;
using expressions::Schema;

}  // namespace

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
  std::optional<Node> product_tree = {};  // the same
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
    parts.product_tree = tree;
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
  if (!groups[0].empty()) {
    parts.product_tree = expressions::all_of(groups[0]);
    parts.product_text = expressions::print(*parts.product_tree);
  }
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

const Node* ProductExpression::product_tree() const {
  return parts_ != nullptr && parts_->product_tree ? &*parts_->product_tree : nullptr;
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
