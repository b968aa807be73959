#include "server/segments/segment_programs.h"

#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/expressions/parser.h"

namespace vitrine::segments {

absl::StatusOr<expressions::Program> compile_for_people(std::string_view expression) {
  VITRINE_ASSIGN_OR_RETURN(const expressions::Node tree, expressions::parse(expression));
  return expressions::Program::compile(tree, person_schema());
}

SegmentPrograms::SegmentPrograms(SegmentList list, const FixedMembers& fixed)
    : list_(std::move(list)), fixed_(fixed) {
  for (const Segment& segment : list_.all()) places_.emplace(segment.key, place_of(segment));
}

absl::StatusOr<std::shared_ptr<const SegmentPrograms>> SegmentPrograms::compile(
    const SegmentList& list, const FixedMembers& fixed) {
  std::shared_ptr<SegmentPrograms> made(new SegmentPrograms(list, fixed));
  for (const Segment& segment : list.all()) {
    made->programs_.emplace_back();
    if (segment.expression.empty()) continue;
    absl::StatusOr<expressions::Program> program = compile_for_people(segment.expression);
    if (program.ok()) {
      made->programs_.back() = *std::move(program);
      continue;
    }
    return invalid_argument("expression of segment {}: {}", segment.key,
                            message_of(program.status()));
  }
  for (const std::optional<expressions::Program>& program : made->programs_) {
    if (program) VITRINE_RETURN_IF_ERROR(made->check_references(program->segments()));
  }
  VITRINE_RETURN_IF_ERROR(made->check_circles());
  made->find_asked();
  made->event_types_.resize(made->programs_.size());
  for (std::size_t at = 0; at < made->programs_.size(); ++at) made->find_event_types(at);
  return made;
}

absl::Status SegmentPrograms::check_references(std::span<const std::string> asked) const {
  for (const std::string& key : asked) {
    if (list_.find(key) != nullptr) continue;
    std::vector<std::string_view> keys;
    keys.reserve(list_.all().size());
    for (const Segment& segment : list_.all()) keys.push_back(segment.key);
    const auto near = expressions::nearest_name(key, keys);
    return invalid_argument("expression asks for the segment '{}', which there is not{}", key,
                            near ? fmt::format("; did you mean '{}'?", *near) : "");
  }
  return absl::OkStatus();
}

absl::Status SegmentPrograms::check_circles() const {
  for (const Segment& segment : list_.all()) {
    if (std::ranges::count(users_of(segment.key), segment.key) == 0) continue;
    return invalid_argument("expression of segment {} asks for itself, through in_segment(...)",
                            segment.key);
  }
  return absl::OkStatus();
}

bool SegmentPrograms::asks_for(std::size_t at, std::string_view key) const {
  return programs_[at] && std::ranges::count(programs_[at]->segments(), key) > 0;
}

void SegmentPrograms::find_asked() {
  asked_.resize(programs_.size());
  std::size_t count = 0;
  for (const std::optional<expressions::Program>& program : programs_) {
    if (!program) continue;
    for (const std::string& key : program->segments()) {
      std::optional<std::size_t>& number = asked_[place_of(*list_.find(key))];
      if (!number) number = count++;
    }
  }
}

// Precondition: no circles.
expressions::EventTypes SegmentPrograms::find_event_types(std::size_t at) {
  if (event_types_[at] != 0 || !programs_[at]) return event_types_[at];
  expressions::EventTypes types = event_types_of(*programs_[at]);
  for (const std::string& key : programs_[at]->segments()) {
    types |= find_event_types(place_of(*list_.find(key)));
  }
  return event_types_[at] = types;
}

std::vector<std::string> SegmentPrograms::users_of(std::string_view key) const {
  std::vector<std::string> users;
  const auto add_those_of = [&](std::string_view asked) {
    for (std::size_t at = 0; at < programs_.size(); ++at) {
      const std::string& own = list_.all()[at].key;
      if (asks_for(at, asked) && std::ranges::count(users, own) == 0) users.push_back(own);
    }
  };
  add_those_of(key);
  for (std::size_t i = 0; i < users.size(); ++i) {
    add_those_of(std::string(users[i]));  // a copy: the list grows
  }
  std::ranges::sort(users);
  return users;
}

bool SegmentPrograms::found_out(std::size_t at, const PersonSubject& person,
                                TimeMs& changes_at_ms) const {
  const Segment& segment = list_.all()[at];
  if (segment.kind != Segment::Kind::dynamic) return fixed_.has(segment.key, person.user());
  if (person.is_visitor() && !segment.includes_visitors) return false;
  return programs_[at]->holds(person, person.now_ms(), changes_at_ms);
}

bool SegmentPrograms::holds(std::size_t at, const PersonSubject& person,
                            TimeMs& changes_at_ms) const {
  const PersonSubject::Found* const known = asked_[at] ? person.found(*asked_[at]) : nullptr;
  if (known != nullptr) {
    changes_at_ms = std::min(changes_at_ms, known->changes_at_ms);
    return known->is_in;
  }
  TimeMs changes_ms = expressions::k_never_ms;
  const bool is_in = found_out(at, person, changes_ms);
  if (asked_[at]) person.remember(*asked_[at], {.is_in = is_in, .changes_at_ms = changes_ms});
  changes_at_ms = std::min(changes_at_ms, changes_ms);
  return is_in;
}

std::optional<bool> SegmentPrograms::is_in(std::string_view key, const PersonSubject& person,
                                           TimeMs& changes_at_ms) const {
  const auto place = places_.find(key);
  if (place == places_.end()) return std::nullopt;
  return holds(place->second, person, changes_at_ms);
}

}  // namespace vitrine::segments
