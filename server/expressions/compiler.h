// Resolves the names of a tree, checks its types and makes the terms that answer it.
//
// Not thread-safe; made for one tree.
#pragma once

#include <absl/status/statusor.h>

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
  Compiled key(const Node& node, std::string_view map, std::string_view key) const;
  Compiled list(const Node& node) const;
  Compiled call(const Node& node);
  Compiled joined(const Node& node);
  Compiled relation(const Node& node);
  Compiled membership(const Node& node);
  Compiled calculation(const Node& node);
  Compiled negation(const Node& node);
  Compiled presence(const Node& node) const;
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
  Compiled last_event(const Node& node) const;
  Compiled in_segment(const Node& node);
  Compiled bucket(const Node& node) const;

  // The operand, which must be of the type.
  Compiled operand(const Node& call, std::size_t i, Type type);

  const Schema& schema_;
  bool depends_on_time_ = false;
  std::set<std::string> segments_;
};

}  // namespace vitrine::expressions
