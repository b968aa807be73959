// What an expression can speak of: the names in scope with their types, and where their values come
// from.
//
// Thread-safe (values); a Subject is asked from one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine::expressions {

enum class Type : std::uint8_t {
  boolean,
  number,
  text,
  time,
  texts,    // a list of texts
  numbers,  // a list of numbers
  paths,    // categories: "Home > Kitchen" holds "Home" too
  map       // of texts by text
};

// "a number", "a list of texts".
std::string_view name_of(Type type);

struct Field {
  std::string_view name;  // "price", "user.orders_count"; outlives the schema
  Type type;
  std::string_view meaning;  // one line, for people
};

class Schema {
 public:
  // `scope` names it in messages: "a product". A field's place in the list is the slot that a
  // Subject is asked for.
  Schema(std::string_view scope, std::vector<Field> fields);

  std::optional<std::size_t> find(std::string_view name) const;
  const Field& field(std::size_t slot) const { return fields_[slot]; }
  std::span<const Field> fields() const { return fields_; }
  std::string_view scope() const { return scope_; }

  // "; did you mean 'price'?", or which names there are.
  std::string suggestion_for(std::string_view name) const;

 private:
  std::optional<std::string_view> nearest(std::string_view name) const;

  std::string_view scope_;
  std::vector<Field> fields_;
};

// Whom or what an expression is asked about. Nothing means that there is no value: every comparison
// with it is false. Views live until the subject changes.
class Subject {
 public:
  virtual ~Subject() = default;
  virtual std::optional<bool> boolean(std::size_t slot) const = 0;
  virtual std::optional<double> number(std::size_t slot) const = 0;  // times in UTC milliseconds
  virtual std::optional<std::string_view> text(std::size_t slot) const = 0;
  virtual std::span<const std::string> texts(std::size_t slot) const = 0;  // and paths
  virtual std::optional<std::string_view> entry(std::size_t slot, std::string_view key) const = 0;
  virtual std::size_t entry_count(std::size_t slot) const = 0;
};

}  // namespace vitrine::expressions
