// Reads what is known of a JSON object that others made, forgiving in form: ids may be numbers,
// numbers may be text, a field has several names. What nobody asked for is left over. For this
// folder's files only.
//
// Not thread-safe.
#pragma once

#include <boost/json.hpp>

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "model/money.h"

namespace vitrine::collect {

using Names = std::initializer_list<std::string_view>;

inline std::string_view view(const boost::json::string& text) { return {text.data(), text.size()}; }
inline std::string_view view(boost::json::string_view text) { return {text.data(), text.size()}; }

// A text or a number as text; nothing for any other value and for empty text.
std::optional<std::string> text_in(const boost::json::value& value);

// The refusal of a value that is not what it must be.
EventRefusal wrong_type(std::string_view field, std::string_view expected,
                        const boost::json::value& value);

// The first refusal stays; what is asked for afterwards is still answered.
class JsonFields {
 public:
  // `object` outlives it; null is an object without fields.
  explicit JsonFields(const boost::json::object* object) : object_(object) {}

  // Each takes the first of the names that is there and not null, and that one counts as used.
  const boost::json::value* any(Names names);
  std::string text(Names names);  // empty when absent
  const boost::json::array* list(Names names);
  std::int64_t whole(Names names, std::int64_t otherwise);
  // An amount that cannot be read or is negative is a refusal.
  std::optional<Money> money(Names names, std::string_view currency);
  // Such an amount is left over instead.
  std::optional<Money> readable_money(Names names, std::string_view currency);

  // Without using it.
  std::optional<std::string> peek(Names names) const;
  void use(std::string_view name) { used_.push_back(name); }

  boost::json::object rest() const;
  const std::optional<EventRefusal>& refusal() const { return refusal_; }
  void refuse(EventRefusal refusal);

 private:
  struct Found {
    std::string_view name;
    const boost::json::value* value = nullptr;
  };
  Found find(Names names) const;

  const boost::json::object* object_;
  std::vector<std::string_view> used_;
  std::optional<EventRefusal> refusal_;
};

}  // namespace vitrine::collect
