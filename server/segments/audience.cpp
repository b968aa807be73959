#include "server/segments/audience.h"

#include <array>
#include <utility>

#include "base/status.h"
#include "server/expressions/joined_subject.h"
#include "server/expressions/parser.h"
#include "server/expressions/program.h"
#include "server/segments/person.h"
#include "server/segments/situation.h"

namespace vitrine::segments {

using expressions::Program;
using expressions::Schema;

const Schema& audience_schema() {
  static const Schema schema("an audience",
                             std::array<const Schema*, 2>{&person_schema(), &situation_schema()});
  return schema;
}

absl::StatusOr<Audience> Audience::parse(std::string_view text) {
  VITRINE_ASSIGN_OR_RETURN(const expressions::Node tree, expressions::parse(text));
  VITRINE_ASSIGN_OR_RETURN(Program program, Program::compile(tree, audience_schema()));
  Audience audience;
  audience.text_ = text;
  audience.program_ = std::make_shared<const Program>(std::move(program));
  return audience;
}

bool Audience::holds(const PersonSubject& person, const SituationSubject& situation) const {
  return program_ == nullptr || segments::holds(*program_, person, situation);
}

const std::vector<std::string>& Audience::segments() const {
  static const std::vector<std::string> k_none;
  return program_ == nullptr ? k_none : program_->segments();
}

bool holds(const Program& program, const PersonSubject& person, const SituationSubject& situation) {
  return program.holds(expressions::JoinedSubject(audience_schema(), {&person, &situation}),
                       person.now_ms());
}

}  // namespace vitrine::segments
