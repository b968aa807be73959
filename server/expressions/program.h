// An expression made ready to be asked often.
//
// Every name is resolved and every type checked when it is compiled, so asking cannot fail and
// allocates nothing. Where a value is missing, comparisons are false and arithmetic has no value.
// Thread-safety: immutable; holds() may run at the same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "server/expressions/schema.h"
#include "server/expressions/tree.h"

namespace vitrine::expressions {

class Compiler;
class Terms;

class Program {
 public:
  // InvalidArgument, with the column: a name that is not in scope, values whose types do not go
  // together, an expression that is no condition. The schema outlives the program.
  static absl::StatusOr<Program> compile(const Node& tree, const Schema& schema);

  Program(Program&&) noexcept;
  Program& operator=(Program&&) noexcept;
  ~Program();

  // `subject` has the slots of the schema.
  bool holds(const Subject& subject, TimeMs now_ms) const;
  // Likewise; `changes_at_ms` is lowered to when the answer can be another one although the subject
  // did nothing.
  bool holds(const Subject& subject, TimeMs now_ms, TimeMs& changes_at_ms) const;
  // Whether the answer can change while the subject stays as it is.
  bool depends_on_time() const { return depends_on_time_; }
  // Whose keys in_segment(...) names, each once, in order.
  const std::vector<std::string>& segments() const { return segments_; }
  // Which parts of the schema it asks, one bit each.
  std::uint32_t parts() const { return parts_; }
  // Of which fields' values it asks, each once, in order.
  const std::vector<std::size_t>& slots() const { return slots_; }
  // Of which kinds of events it asks, beside what fields tell.
  EventTypes event_types() const { return event_types_; }

 private:
  Program(std::unique_ptr<const Terms> terms, const Compiler& compiler);

  std::unique_ptr<const Terms> terms_;
  bool depends_on_time_;
  std::vector<std::string> segments_;
  std::uint32_t parts_;
  std::vector<std::size_t> slots_;
  EventTypes event_types_;
};

}  // namespace vitrine::expressions
