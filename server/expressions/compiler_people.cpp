// What can be asked of people alone: what they did, when, and whom they belong to.
#include <fmt/ranges.h>

#include <array>
#include <charconv>
#include <utility>

#include "base/status.h"
#include "server/expressions/compiler.h"
#include "server/expressions/failure.h"

namespace vitrine::expressions {
namespace {

using Kind = Node::Kind;

constexpr TimeMs k_window_ms_max = 730 * k_day_ms;
constexpr std::size_t k_key_bytes_max = 64;   // of a segment
constexpr std::size_t k_seed_bytes_max = 64;  // of a bucket

absl::StatusOr<std::string_view> literal_text(const Node& node, std::string_view what) {
  if (node.kind == Kind::text) return node.text;
  return wrong_at(node.column, "expected {} in quotes", what);
}

absl::StatusOr<EventType> event_type_in(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(const std::string_view name,
                           literal_text(node, "a kind of event, as \"view\" or \"purchase\","));
  if (const auto type = event_type_of(name)) return *type;
  std::vector<std::string_view> names;
  names.reserve(all_event_types().size());
  for (const EventType type : all_event_types()) names.push_back(name_of(type));
  if (const auto near = nearest_name(name, names)) {
    return wrong_at(node.column, "unknown kind of event '{}'; did you mean '{}'?", quoted(name),
                    *near);
  }
  return wrong_at(node.column, "unknown kind of event '{}'; there are {}", quoted(name),
                  fmt::join(names, ", "));
}

TimeMs unit_ms(char unit) {
  switch (unit) {
    case 'm':
      return k_minute_ms;
    case 'h':
      return k_hour_ms;
    case 'd':
      return k_day_ms;
    case 'w':
      return 7 * k_day_ms;
    default:
      return 0;
  }
}

absl::StatusOr<TimeMs> window_in(const Node& node) {
  constexpr std::string_view k_what = "a window, as \"24h\" or \"90d\",";
  VITRINE_ASSIGN_OR_RETURN(const std::string_view text, literal_text(node, k_what));
  std::int64_t count = 0;
  const char* const end = text.data() + text.size();
  const auto [unit, error] = std::from_chars(text.data(), end, count);
  const TimeMs each_ms = unit != end ? unit_ms(*unit) : 0;
  if (error != std::errc() || unit + 1 != end || each_ms == 0) {
    return wrong_at(node.column,
                    "expected a window of minutes, hours, days or weeks, as \"30m\", \"24h\", "
                    "\"90d\" or \"2w\", got \"{}\"",
                    quoted(text));
  }
  if (count < 1 || count > k_window_ms_max / each_ms) {
    return wrong_at(node.column, "a window may be 1m to {}d long, got \"{}\"",
                    k_window_ms_max / k_day_ms, quoted(text));
  }
  return count * each_ms;
}

// The value, and when the first of it leaves the window.
std::optional<double> in_window(const std::optional<Counted>& counted, TimeMs window_ms,
                                const Moment& moment) {
  if (!counted) return std::nullopt;
  if (counted->oldest_ms != k_never_ms) moment.changes_at(counted->oldest_ms + window_ms);
  return counted->value;
}

}  // namespace

Compiler::Compiled Compiler::people(const Node& node) {
  if (!schema_.is_about_people()) {
    return wrong_at(node.column, "{}(...) asks about a person: here {} is asked",
                    spelling_of(node.operation).text, schema_.scope());
  }
  parts_ |= 1U << schema_.part_of_people();
  switch (node.operation) {
    case Operation::sum:
      return spend(node);
    case Operation::last:
      return last_event(node);
    case Operation::in_segment:
      return in_segment(node);
    case Operation::bucket:
      return bucket(node);
    default:
      return event_count(node);
  }
}

// count(kind, window), count_in(kind, category, window)
Compiler::Compiled Compiler::event_count(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(const EventType type, event_type_in(node.children.front()));
  VITRINE_ASSIGN_OR_RETURN(const TimeMs window_ms, window_in(node.children.back()));
  std::string category;
  if (node.operation == Operation::count_in) {
    VITRINE_ASSIGN_OR_RETURN(category, literal_text(node.children[1], "a category"));
    if (category.empty()) return wrong_at(node.children[1].column, "expected a category, got \"\"");
  }
  depends_on_time_ = true;
  // Events of other kinds push old ones out of what is known of categories.
  event_types_ |= category.empty() ? of_type(type) : k_all_event_types;
  return Value{
      .type = Type::number,
      .number =
          computed<double>([type, window_ms, category = std::move(category)](const Moment& moment) {
            return in_window(moment.subject.event_count(type, category, moment.now_ms - window_ms),
                             window_ms, moment);
          })};
}

// sum("purchase", window)
Compiler::Compiled Compiler::spend(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(const EventType type, event_type_in(node.children.front()));
  if (type != EventType::purchase) {
    return wrong_at(node.children.front().column,
                    "sum(...) knows what was spent: expected \"purchase\", got \"{}\"",
                    name_of(type));
  }
  VITRINE_ASSIGN_OR_RETURN(const TimeMs window_ms, window_in(node.children.back()));
  depends_on_time_ = true;
  event_types_ |= of_type(type);
  return Value{.type = Type::number, .number = computed<double>([window_ms](const Moment& moment) {
                                       return in_window(
                                           moment.subject.spend(moment.now_ms - window_ms),
                                           window_ms, moment);
                                     })};
}

// last(kind): a time
Compiler::Compiled Compiler::last_event(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(const EventType type, event_type_in(node.children.front()));
  event_types_ |= of_type(type);
  return Value{.type = Type::time, .number = computed<double>([type](const Moment& moment) {
                                     return moment.subject.last_event_ms(type);
                                   })};
}

Compiler::Compiled Compiler::in_segment(const Node& node) {
  const Node& written = node.children.front();
  VITRINE_ASSIGN_OR_RETURN(const std::string_view key,
                           literal_text(written, "the key of a segment, as \"vip\","));
  if (key.empty() || key.size() > k_key_bytes_max) {
    return wrong_at(written.column, "expected the key of a segment, 1 to {} bytes, got {}",
                    k_key_bytes_max, key.size());
  }
  segments_.insert(std::string(key));
  depends_on_time_ = true;
  return Value{.type = Type::boolean,
               .truth = computed<bool>([key = std::string(key)](const Moment& moment) {
                 return moment.subject.is_in_segment(key, moment.changes_at_ms);
               })};
}

// bucket(seed, from, to): whether the person's share of chance is in [from, to)
Compiler::Compiled Compiler::bucket(const Node& node) const {
  VITRINE_ASSIGN_OR_RETURN(const std::string_view seed,
                           literal_text(node.children[0], "a seed, as \"spring\","));
  if (seed.empty() || seed.size() > k_seed_bytes_max) {
    return wrong_at(node.children[0].column, "expected a seed of 1 to {} bytes, got {}",
                    k_seed_bytes_max, seed.size());
  }
  std::array<double, 2> bounds{};
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    const Node& bound = node.children[i + 1];
    if (bound.kind != Kind::number || bound.number < 0 || bound.number > 1) {
      return wrong_at(bound.column,
                      "expected a number from 0 to 1, as in bucket(\"spring\", 0, 0.5)");
    }
    bounds[i] = bound.number;
  }
  if (bounds[0] >= bounds[1]) {
    return wrong_at(node.children[2].column, "expected an end past {}, where the bucket begins",
                    bounds[0]);
  }
  return Value{.type = Type::boolean,
               .truth = computed<bool>([seed = std::string(seed), bounds](const Moment& moment) {
                 const std::optional<double> at = moment.subject.bucket(seed);
                 return std::optional<bool>(at && *at >= bounds[0] && *at < bounds[1]);
               })};
}

}  // namespace vitrine::expressions
