// What a compiled expression consists of: one small object an operation, typed when compiled.
//
// Thread-safety: immutable.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "model/product.h"
#include "server/expressions/schema.h"

namespace vitrine::expressions {

struct Moment {
  const Subject& subject;
  TimeMs now_ms;
  TimeMs& changes_at_ms;  // lowered to when what was asked is another value by time alone

  void changes_at(TimeMs time_ms) const { changes_at_ms = std::min(changes_at_ms, time_ms); }
};

// Gives a value, or nothing where one that it needs is missing.
template <class T>
class Term {
 public:
  virtual ~Term() = default;
  virtual std::optional<T> value(const Moment& moment) const = 0;
};

template <class T>
using TermPtr = std::unique_ptr<const Term<T>>;
using Truth = TermPtr<bool>;
using Number = TermPtr<double>;  // times too, in milliseconds
using Text = TermPtr<std::string_view>;

template <class T, class Function>
class Computed final : public Term<T> {
 public:
  explicit Computed(Function function) : function_(std::move(function)) {}
  std::optional<T> value(const Moment& moment) const override { return function_(moment); }

 private:
  Function function_;
};

// A term that is what `function(moment)` says.
template <class T, class Function>
TermPtr<T> computed(Function function) {
  return std::make_unique<Computed<T, Function>>(std::move(function));
}

class Terms {
 public:
  explicit Terms(Truth truth) : truth_(std::move(truth)) {}
  bool hold(const Moment& moment) const { return truth_->value(moment).value_or(false); }

 private:
  Truth truth_;
};

inline bool is_true(const Truth& truth, const Moment& moment) {
  return truth->value(moment).value_or(false);
}

template <class T, class Compare>
Truth comparison(TermPtr<T> left, TermPtr<T> right, Compare compare) {
  return computed<bool>([left = std::move(left), right = std::move(right),
                         compare](const Moment& moment) -> std::optional<bool> {
    const std::optional<T> a = left->value(moment);
    if (!a) return false;
    const std::optional<T> b = right->value(moment);
    return b && compare(*a, *b);
  });
}

// Nothing for what is no finite number, a division by zero among it.
template <class Combine>
Number arithmetic(Number left, Number right, Combine combine) {
  return computed<double>([left = std::move(left), right = std::move(right),
                           combine](const Moment& moment) -> std::optional<double> {
    const std::optional<double> a = left->value(moment);
    const std::optional<double> b = right->value(moment);
    if (!a || !b) return std::nullopt;
    const double result = combine(*a, *b);
    if (!std::isfinite(result)) return std::nullopt;
    return result;
  });
}

// Whether a list of texts has one; of paths, whether one is in it or below it.
inline bool has_text(std::span<const std::string> texts, std::string_view wanted, bool are_paths) {
  return std::ranges::any_of(texts, [&](const std::string& text) {
    return are_paths ? is_in_category(text, wanted) : text == wanted;
  });
}

// Of an expression: sorted, each value once.
template <class T>
bool has_sorted(const std::vector<T>& values, const auto& wanted) {
  return std::binary_search(values.begin(), values.end(), wanted, std::less<>());
}

}  // namespace vitrine::expressions
