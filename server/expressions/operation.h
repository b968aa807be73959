// The operations of the language, each with its spelling.
//
// The language is a subset of the Common Expression Language (CEL); docs/expressions.md has all of
// it. Pure functions; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vitrine::expressions {

enum class Operation : std::uint8_t {
  logical_or,
  logical_and,
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  add,
  subtract,
  multiply,
  divide,
  remainder,
  logical_not,
  negate,
  has,
  size,
  to_number,
  timestamp,
  days_since,
  count,
  count_in,
  sum,
  last,
  in_segment,
  bucket,
  intersects,
  contains_all,
  contains,
  starts_with,
  ends_with
};

enum class Form : std::uint8_t {
  infix,     // a && b
  prefix,    // !a
  function,  // size(a)
  method     // a.contains(b)
};

// How closely an operator binds: of two, the larger takes its operands first.
constexpr int k_binds_or = 1;
constexpr int k_binds_and = 2;
constexpr int k_binds_relation = 3;
constexpr int k_binds_sum = 4;
constexpr int k_binds_product = 5;
constexpr int k_binds_prefix = 6;
constexpr int k_binds_call = 7;

struct Spelling {
  Operation operation;
  std::string_view text;
  Form form;
  int binding;
  std::size_t operand_count;  // of && and ||: at least
};

std::span<const Spelling> spellings();
const Spelling& spelling_of(Operation operation);
// Whether it can be asked of people alone.
bool asks_people(Operation operation);
std::optional<Operation> find_operation(std::string_view text, Form form);

}  // namespace vitrine::expressions
