#include "server/expressions/program.h"

#include <utility>

#include "base/status.h"
#include "server/expressions/compiler.h"
#include "server/expressions/terms.h"

namespace vitrine::expressions {

absl::StatusOr<Program> Program::compile(const Node& tree, const Schema& schema) {
  Compiler compiler(schema);
  VITRINE_ASSIGN_OR_RETURN(Truth truth, compiler.condition(tree));
  return Program(std::make_unique<const Terms>(std::move(truth)), compiler);
}

Program::Program(std::unique_ptr<const Terms> terms, const Compiler& compiler)
    : terms_(std::move(terms)),
      depends_on_time_(compiler.depends_on_time()),
      segments_(compiler.segments()),
      parts_(compiler.parts()),
      slots_(compiler.slots()),
      event_types_(compiler.event_types()) {}
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;
Program::~Program() = default;

bool Program::holds(const Subject& subject, TimeMs now_ms) const {
  TimeMs ignored_ms = k_never_ms;
  return holds(subject, now_ms, ignored_ms);
}

bool Program::holds(const Subject& subject, TimeMs now_ms, TimeMs& changes_at_ms) const {
  return terms_->hold({.subject = subject, .now_ms = now_ms, .changes_at_ms = changes_at_ms});
}

}  // namespace vitrine::expressions
