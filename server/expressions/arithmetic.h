// What + - * / % are in numbers, for all that computes them. Pure.
#pragma once

#include <cmath>
#include <functional>

#include "server/expressions/operation.h"

namespace vitrine::expressions {

// `with` is given the function of two numbers; the operation is one of these five.
template <class With>
auto with_arithmetic(Operation operation, const With& with) {
  switch (operation) {
    case Operation::add:
      return with(std::plus<>());
    case Operation::subtract:
      return with(std::minus<>());
    case Operation::multiply:
      return with(std::multiplies<>());
    case Operation::divide:
      return with(std::divides<>());
    default:
      return with([](double a, double b) { return std::fmod(a, b); });
  }
}

}  // namespace vitrine::expressions
