// A schema of every type, and subjects made by hand.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/expressions/schema.h"

namespace vitrine::expressions {

inline const Schema& made_schema() {
  static const Schema schema("a product", {{"price", Type::number, "A number"},
                                           {"list_price", Type::number, "Another"},
                                           {"brand", Type::text, "A text"},
                                           {"title", Type::text, "Another"},
                                           {"in_stock", Type::boolean, "A truth value"},
                                           {"hidden", Type::boolean, "Another"},
                                           {"created_at", Type::time, "A time"},
                                           {"markets", Type::texts, "A list"},
                                           {"categories", Type::paths, "Paths"},
                                           {"attributes", Type::map, "Named texts"},
                                           {"user.orders_count", Type::number, "With a point"}});
  return schema;
}

// Has the values that are set.
class MadeSubject final : public Subject {
 public:
  std::map<std::string, double> numbers;
  std::map<std::string, std::string> texts_by_name;
  std::map<std::string, bool> truths;
  std::map<std::string, std::vector<std::string>> lists;
  std::map<std::string, std::string> attributes;

  std::optional<bool> boolean(std::size_t slot) const override { return found(truths, slot); }
  std::optional<double> number(std::size_t slot) const override { return found(numbers, slot); }
  std::optional<std::string_view> text(std::size_t slot) const override {
    const auto entry = texts_by_name.find(name(slot));
    if (entry == texts_by_name.end()) return std::nullopt;
    return entry->second;
  }
  std::span<const std::string> texts(std::size_t slot) const override {
    const auto entry = lists.find(name(slot));
    if (entry == lists.end()) return {};
    return entry->second;
  }
  std::optional<std::string_view> entry(std::size_t, std::string_view key) const override {
    const auto entry = attributes.find(std::string(key));
    if (entry == attributes.end()) return std::nullopt;
    return entry->second;
  }
  std::size_t entry_count(std::size_t) const override { return attributes.size(); }

 private:
  static std::string name(std::size_t slot) { return std::string(made_schema().field(slot).name); }

  template <class T>
  static std::optional<T> found(const std::map<std::string, T>& values, std::size_t slot) {
    const auto entry = values.find(name(slot));
    if (entry == values.end()) return std::nullopt;
    return entry->second;
  }
};

}  // namespace vitrine::expressions
