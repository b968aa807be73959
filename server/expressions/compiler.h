// Resolves the names of a tree, checks its types and makes the terms that answer it.
//
// Not thread-safe; made for one tree.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "server/expressions/schema.h"
#include "server/expressions/terms.h"
#include "server/expressions/tree.h"

namespace vitrine::expressions {

class Compiler {
 public:
  // The schema outlives what is compiled.
  explicit Compiler(const Schema& schema) : schema_(schema) {}

  absl::StatusOr<Truth> condition(const Node& node);
  bool depends_on_time() const { return depends_on_time_; }
  std::vector<std::string> segments() const { return {segments_.begin(), segments_.end()}; }
  std::uint32_t parts() const { return parts_; }
  std::vector<std::size_t> slots() const { return {slots_.begin(), slots_.end()}; }
  EventTypes event_types() const { return event_types_; }

 private:
  // A typed value; the member of its type is set.
  struct Value {
    Type type;
    Truth truth = {};
    Number number = {};
    Text text = {};
    std::size_t slot = 0;   // of a field that is a list or a map
    bool is_field = false;  // else a list of the expression, sorted:
    std::vector<std::string> texts = {};
    std::vector<double> numbers = {};
  };
  using Compiled = absl::StatusOr<Value>;

  Compiled compile(const Node& node);
  Compiled name(const Node& node);
  Compiled field(std::size_t slot);
  Compiled key(const Node& node, std::string_view map, std::string_view key);
  Compiled list(const Node& node) const;
  Compiled call(const Node& node);
  Compiled joined(const Node& node);
  Compiled relation(const Node& node);
  Compiled membership(const Node& node);
  Compiled calculation(const Node& node);
  Compiled negation(const Node& node);
  Compiled presence(const Node& node);
  Compiled size(const Node& node);
  Compiled conversion(const Node& node);
  Compiled timestamp(const Node& node) const;
  Compiled days_since(const Node& node);
  Compiled sets(const Node& node);
  Compiled search(const Node& node);

  // What people did; see compiler_people.cpp.
  Compiled people(const Node& node);
  Compiled event_count(const Node& node);
  Compiled spend(const Node& node);
  Compiled last_event(const Node& node);
  Compiled in_segment(const Node& node);
  Compiled bucket(const Node& node) const;

  // The operand, which must be of the type.
  Compiled operand(const Node& call, std::size_t i, Type type);

  void asks_slot(std::size_t slot) {
    slots_.insert(slot);
    parts_ |= 1U << schema_.part_of(slot);
  }

  const Schema& schema_;
  bool depends_on_time_ = false;
  std::set<std::string> segments_;
  std::uint32_t parts_ = 0;
  std::set<std::size_t> slots_;
  EventTypes event_types_ = 0;
};

}  // namespace vitrine::expressions
