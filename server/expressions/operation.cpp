#include "server/expressions/operation.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace vitrine::expressions {
namespace {

// In the order of the enumeration.
constexpr std::array<Spelling, 32> k_spellings = {{
    {Operation::logical_or, "||", Form::infix, k_binds_or, 2},
    {Operation::logical_and, "&&", Form::infix, k_binds_and, 2},
    {Operation::equal, "==", Form::infix, k_binds_relation, 2},
    {Operation::not_equal, "!=", Form::infix, k_binds_relation, 2},
    {Operation::less, "<", Form::infix, k_binds_relation, 2},
    {Operation::less_equal, "<=", Form::infix, k_binds_relation, 2},
    {Operation::greater, ">", Form::infix, k_binds_relation, 2},
    {Operation::greater_equal, ">=", Form::infix, k_binds_relation, 2},
    {Operation::in, "in", Form::infix, k_binds_relation, 2},
    {Operation::add, "+", Form::infix, k_binds_sum, 2},
    {Operation::subtract, "-", Form::infix, k_binds_sum, 2},
    {Operation::multiply, "*", Form::infix, k_binds_product, 2},
    {Operation::divide, "/", Form::infix, k_binds_product, 2},
    {Operation::remainder, "%", Form::infix, k_binds_product, 2},
    {Operation::logical_not, "!", Form::prefix, k_binds_prefix, 1},
    {Operation::negate, "-", Form::prefix, k_binds_prefix, 1},
    {Operation::has, "has", Form::function, k_binds_call, 1},
    {Operation::size, "size", Form::function, k_binds_call, 1},
    {Operation::to_number, "double", Form::function, k_binds_call, 1},
    {Operation::timestamp, "timestamp", Form::function, k_binds_call, 1},
    {Operation::days_since, "days_since", Form::function, k_binds_call, 1},
    {Operation::count, "count", Form::function, k_binds_call, 2},
    {Operation::count_in, "count_in", Form::function, k_binds_call, 3},
    {Operation::sum, "sum", Form::function, k_binds_call, 2},
    {Operation::last, "last", Form::function, k_binds_call, 1},
    {Operation::in_segment, "in_segment", Form::function, k_binds_call, 1},
    {Operation::bucket, "bucket", Form::function, k_binds_call, 3},
    {Operation::intersects, "sets.intersects", Form::function, k_binds_call, 2},
    {Operation::contains_all, "sets.contains", Form::function, k_binds_call, 2},
    {Operation::contains, "contains", Form::method, k_binds_call, 2},
    {Operation::starts_with, "startsWith", Form::method, k_binds_call, 2},
    {Operation::ends_with, "endsWith", Form::method, k_binds_call, 2},
}};

}  // namespace

std::span<const Spelling> spellings() { return k_spellings; }

const Spelling& spelling_of(Operation operation) {
  const Spelling& spelling = k_spellings[static_cast<std::size_t>(operation)];
  CHECK(spelling.operation == operation, "the table is in the order of the enumeration");
  return spelling;
}

bool asks_people(Operation operation) {
  return operation >= Operation::count && operation <= Operation::bucket;
}

std::optional<Operation> find_operation(std::string_view text, Form form) {
  const auto found = std::ranges::find_if(k_spellings, [&](const Spelling& spelling) {
    return spelling.form == form && spelling.text == text;
  });
  if (found == k_spellings.end()) return std::nullopt;
  return found->operation;
}

}  // namespace vitrine::expressions
