// Who is meant, and when, in a condition written as text: of the person, their session, their cart
// and where they are.
//
// user.orders_count == 0 && cart.subtotal >= 50 && context.channel == "app". Names and types are
// checked when it is read, see docs/expressions.md. Thread-safe (values).
#pragma once

#include <absl/status/statusor.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/expressions/schema.h"

namespace vitrine::expressions {
class Program;
}  // namespace vitrine::expressions

namespace vitrine::segments {

class PersonSubject;
class SituationSubject;

// The names of a person and of a situation, in this order.
const expressions::Schema& audience_schema();

class Audience {
 public:
  Audience() = default;  // empty: everybody, always
  // InvalidArgument names the column and what was expected there.
  static absl::StatusOr<Audience> parse(std::string_view text);

  bool is_empty() const { return program_ == nullptr; }
  const std::string& text() const { return text_; }  // as it was written
  bool holds(const PersonSubject& person, const SituationSubject& situation) const;
  // Whose keys in_segment(...) names.
  const std::vector<std::string>& segments() const;

  friend bool operator==(const Audience& a, const Audience& b) { return a.text_ == b.text_; }

 private:
  std::string text_;
  std::shared_ptr<const expressions::Program> program_;
};

// Whether a program of audience_schema() holds.
bool holds(const expressions::Program& program, const PersonSubject& person,
           const SituationSubject& situation);

}  // namespace vitrine::segments
