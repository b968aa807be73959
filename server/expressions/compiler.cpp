#include "server/expressions/compiler.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/status.h"
#include "server/expressions/arithmetic.h"
#include "server/expressions/failure.h"

namespace vitrine::expressions {
namespace {

using Kind = Node::Kind;

std::string_view spelling(const Node& node) { return spelling_of(node.operation).text; }

bool is_ordering(Operation operation) {
  return operation != Operation::equal && operation != Operation::not_equal;
}

template <class T>
Truth compared(Operation operation, TermPtr<T> left, TermPtr<T> right) {
  switch (operation) {
    case Operation::equal:
      return comparison<T>(std::move(left), std::move(right), std::equal_to<>());
    case Operation::not_equal:
      return comparison<T>(std::move(left), std::move(right), std::not_equal_to<>());
    case Operation::less:
      return comparison<T>(std::move(left), std::move(right), std::less<>());
    case Operation::less_equal:
      return comparison<T>(std::move(left), std::move(right), std::less_equal<>());
    case Operation::greater:
      return comparison<T>(std::move(left), std::move(right), std::greater<>());
    default:
      return comparison<T>(std::move(left), std::move(right), std::greater_equal<>());
  }
}

// What to write in place of a comparison of two types.
std::string_view advice_for(Type a, Type b) {
  const auto either = [&](auto is) { return is(a) || is(b); };
  if (!either([](Type type) { return type == Type::text; })) return "";
  if (either([](Type type) { return type == Type::time; })) {
    return "; write timestamp(\"2026-11-21T10:00:00Z\")";
  }
  if (either([](Type type) { return type == Type::texts || type == Type::paths; })) {
    return "; write \"text\" in the list";
  }
  return "";
}

// Of a text: characters, not bytes.
double character_count(std::string_view text) {
  return static_cast<double>(std::ranges::count_if(
      text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; }));
}

std::optional<double> number_in(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) {
    return std::nullopt;
  }
  return number;
}

}  // namespace

absl::StatusOr<Truth> Compiler::condition(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value value, compile(node));
  if (value.type == Type::boolean) return std::move(value.truth);
  return wrong_at(node.column, "expected a condition, true or false, got {}", name_of(value.type));
}

Compiler::Compiled Compiler::compile(const Node& node) {
  switch (node.kind) {
    case Kind::boolean:
      return Value{.type = Type::boolean,
                   .truth = computed<bool>(
                       [is = node.is_true](const Moment&) { return std::optional<bool>(is); })};
    case Kind::number:
      return Value{.type = Type::number,
                   .number = computed<double>([number = node.number](const Moment&) {
                     return std::optional<double>(number);
                   })};
    case Kind::text:
      return Value{.type = Type::text,
                   .text = computed<std::string_view>([text = node.text](const Moment&) {
                     return std::optional<std::string_view>(text);
                   })};
    case Kind::list:
      return list(node);
    case Kind::name:
      return name(node);
    case Kind::key:
      return key(node, node.children.front().text, node.text);
    case Kind::call:
      return call(node);
  }
  return internal_error("a node of no kind");
}

Compiler::Compiled Compiler::name(const Node& node) {
  if (const auto slot = schema_.find(node.text)) return field(*slot);
  // attributes.color is attributes["color"].
  const std::size_t point = node.text.rfind('.');
  if (point != std::string::npos) {
    const auto slot = schema_.find(node.text.substr(0, point));
    if (slot && schema_.field(*slot).type == Type::map) {
      return key(node, schema_.field(*slot).name, node.text.substr(point + 1));
    }
  }
  return wrong_at(node.column, "unknown name '{}'{}", quoted(node.text),
                  schema_.suggestion_for(quoted(node.text)));
}

Compiler::Compiled Compiler::field(std::size_t slot) {
  Value value{.type = schema_.field(slot).type, .slot = slot, .is_field = true};
  asks_slot(slot);
  const bool moves = schema_.field(slot).moves;
  depends_on_time_ = depends_on_time_ || moves;
  const auto note = [slot, moves](const Moment& moment) {
    if (moves) moment.changes_at(moment.subject.changes_at_ms(slot));
  };
  switch (value.type) {
    case Type::boolean:
      value.truth = computed<bool>([slot, note](const Moment& moment) {
        note(moment);
        return moment.subject.boolean(slot);
      });
      break;
    case Type::number:
    case Type::time:
      value.number = computed<double>([slot, note](const Moment& moment) {
        note(moment);
        return moment.subject.number(slot);
      });
      break;
    case Type::text:
      value.text = computed<std::string_view>([slot, note](const Moment& moment) {
        note(moment);
        return moment.subject.text(slot);
      });
      break;
    case Type::texts:
    case Type::numbers:
    case Type::paths:
    case Type::map:
      break;
  }
  return value;
}

Compiler::Compiled Compiler::key(const Node& node, std::string_view map, std::string_view key) {
  const auto slot = schema_.find(map);
  if (!slot) {
    return wrong_at(node.column, "unknown name '{}'{}", quoted(map),
                    schema_.suggestion_for(quoted(map)));
  }
  if (schema_.field(*slot).type != Type::map) {
    return wrong_at(node.column, "'{}' is {}: it has no [\"key\"]", map,
                    name_of(schema_.field(*slot).type));
  }
  asks_slot(*slot);
  return Value{.type = Type::text,
               .text = computed<std::string_view>(
                   [slot = *slot, key = std::string(key)](const Moment& moment) {
                     return moment.subject.entry(slot, key);
                   })};
}

Compiler::Compiled Compiler::list(const Node& node) const {
  const bool has_texts = node.children.front().kind == Kind::text;
  Value value{.type = has_texts ? Type::texts : Type::numbers};
  for (const Node& child : node.children) {
    if (has_texts) {
      value.texts.push_back(child.text);
    } else {
      value.numbers.push_back(child.number);
    }
  }
  std::ranges::sort(value.texts);
  std::ranges::sort(value.numbers);
  return value;
}

Compiler::Compiled Compiler::call(const Node& node) {
  switch (node.operation) {
    case Operation::logical_or:
    case Operation::logical_and:
      return joined(node);
    case Operation::equal:
    case Operation::not_equal:
    case Operation::less:
    case Operation::less_equal:
    case Operation::greater:
    case Operation::greater_equal:
      return relation(node);
    case Operation::in:
      return membership(node);
    case Operation::add:
    case Operation::subtract:
    case Operation::multiply:
    case Operation::divide:
    case Operation::remainder:
      return calculation(node);
    case Operation::logical_not:
    case Operation::negate:
      return negation(node);
    case Operation::has:
      return presence(node);
    case Operation::size:
      return size(node);
    case Operation::to_number:
      return conversion(node);
    case Operation::timestamp:
      return timestamp(node);
    case Operation::days_since:
      return days_since(node);
    case Operation::count:
    case Operation::count_in:
    case Operation::sum:
    case Operation::last:
    case Operation::in_segment:
    case Operation::bucket:
      return people(node);
    case Operation::intersects:
    case Operation::contains_all:
      return sets(node);
    case Operation::contains:
    case Operation::starts_with:
    case Operation::ends_with:
      return search(node);
  }
  return internal_error("a call of no operation");
}

Compiler::Compiled Compiler::operand(const Node& call, std::size_t i, Type type) {
  VITRINE_ASSIGN_OR_RETURN(Value value, compile(call.children[i]));
  if (value.type == type) return value;
  return wrong_at(call.children[i].column, "expected {} {} '{}', got {}", name_of(type),
                  i == 0 ? "for" : "after", spelling(call), name_of(value.type));
}

Compiler::Compiled Compiler::joined(const Node& node) {
  std::vector<Truth> parts;
  for (std::size_t i = 0; i < node.children.size(); ++i) {
    VITRINE_ASSIGN_OR_RETURN(Value part, operand(node, i, Type::boolean));
    parts.push_back(std::move(part.truth));
  }
  const bool is_or = node.operation == Operation::logical_or;
  Value value{.type = Type::boolean};
  value.truth = computed<bool>(
      [parts = std::move(parts), is_or](const Moment& moment) -> std::optional<bool> {
        for (const Truth& part : parts) {
          if (is_true(part, moment) == is_or) return is_or;
        }
        return !is_or;
      });
  return value;
}

Compiler::Compiled Compiler::relation(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value left, compile(node.children[0]));
  VITRINE_ASSIGN_OR_RETURN(Value right, compile(node.children[1]));
  if (left.type != right.type) {
    return wrong_at(node.column, "expected two values of one type around '{}', got {} and {}{}",
                    spelling(node), name_of(left.type), name_of(right.type),
                    advice_for(left.type, right.type));
  }
  Value value{.type = Type::boolean};
  if (left.number != nullptr) {
    value.truth = compared(node.operation, std::move(left.number), std::move(right.number));
  } else if (left.text != nullptr) {
    value.truth = compared(node.operation, std::move(left.text), std::move(right.text));
  } else if (left.truth != nullptr && !is_ordering(node.operation)) {
    value.truth = compared(node.operation, std::move(left.truth), std::move(right.truth));
  } else {
    return wrong_at(node.column, "expected numbers, texts or times around '{}', got {}",
                    spelling(node), name_of(left.type));
  }
  return value;
}

Compiler::Compiled Compiler::membership(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value wanted, compile(node.children[0]));
  VITRINE_ASSIGN_OR_RETURN(Value among, compile(node.children[1]));
  const bool are_texts =
      among.type == Type::texts || among.type == Type::paths || among.type == Type::map;
  if (!are_texts && among.type != Type::numbers) {
    return wrong_at(node.children[1].column, "expected a list after 'in', got {}",
                    name_of(among.type));
  }
  const Type of_one = are_texts ? Type::text : Type::number;
  if (wanted.type != of_one) {
    return wrong_at(node.children[0].column, "expected {} before 'in' {}, got {}", name_of(of_one),
                    name_of(among.type), name_of(wanted.type));
  }
  Value value{.type = Type::boolean};
  if (among.type == Type::numbers) {
    value.truth = computed<bool>([number = std::move(wanted.number),
                                  numbers = std::move(among.numbers)](const Moment& moment) {
      const std::optional<double> is = number->value(moment);
      return std::optional<bool>(is && has_sorted(numbers, *is));
    });
  } else if (!among.is_field) {
    value.truth = computed<bool>(
        [text = std::move(wanted.text), texts = std::move(among.texts)](const Moment& moment) {
          const std::optional<std::string_view> is = text->value(moment);
          return std::optional<bool>(is && has_sorted(texts, *is));
        });
  } else {
    value.truth = computed<bool>([text = std::move(wanted.text), slot = among.slot,
                                  type = among.type](const Moment& moment) {
      const std::optional<std::string_view> is = text->value(moment);
      if (!is) return std::optional<bool>(false);
      if (type == Type::map) {
        return std::optional<bool>(moment.subject.entry(slot, *is).has_value());
      }
      return std::optional<bool>(has_text(moment.subject.texts(slot), *is, type == Type::paths));
    });
  }
  return value;
}

Compiler::Compiled Compiler::calculation(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value left, operand(node, 0, Type::number));
  VITRINE_ASSIGN_OR_RETURN(Value right, operand(node, 1, Type::number));
  return with_arithmetic(node.operation, [&](auto combine) {
    return Value{.type = Type::number,
                 .number = arithmetic(std::move(left.number), std::move(right.number), combine)};
  });
}

Compiler::Compiled Compiler::negation(const Node& node) {
  const bool is_not = node.operation == Operation::logical_not;
  VITRINE_ASSIGN_OR_RETURN(Value inner, operand(node, 0, is_not ? Type::boolean : Type::number));
  if (is_not) {
    return Value{.type = Type::boolean,
                 .truth = computed<bool>([truth = std::move(inner.truth)](const Moment& moment) {
                   return std::optional<bool>(!is_true(truth, moment));
                 })};
  }
  return Value{.type = Type::number,
               .number = computed<double>([number = std::move(inner.number)](const Moment& moment) {
                 const std::optional<double> is = number->value(moment);
                 return is ? std::optional<double>(-*is) : std::nullopt;
               })};
}

Compiler::Compiled Compiler::presence(const Node& node) {
  const Node& asked = node.children.front();
  if (asked.kind != Kind::name && asked.kind != Kind::key) {
    return wrong_at(asked.column, "expected a name in has(...), as in has(brand)");
  }
  VITRINE_ASSIGN_OR_RETURN(Value value, compile(asked));
  Value result{.type = Type::boolean};
  if (value.truth) {
    result.truth = computed<bool>([term = std::move(value.truth)](const Moment& moment) {
      return std::optional<bool>(term->value(moment).has_value());
    });
  } else if (value.number) {
    result.truth = computed<bool>([term = std::move(value.number)](const Moment& moment) {
      return std::optional<bool>(term->value(moment).has_value());
    });
  } else if (value.text) {
    result.truth = computed<bool>([term = std::move(value.text)](const Moment& moment) {
      return std::optional<bool>(term->value(moment).has_value());
    });
  } else {
    result.truth =
        computed<bool>([slot = value.slot, is_map = value.type == Type::map](const Moment& moment) {
          return std::optional<bool>(is_map ? moment.subject.entry_count(slot) > 0
                                            : !moment.subject.texts(slot).empty());
        });
  }
  return result;
}

Compiler::Compiled Compiler::size(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value of, compile(node.children.front()));
  Value value{.type = Type::number};
  if (of.text != nullptr) {
    value.number = computed<double>([text = std::move(of.text)](const Moment& moment) {
      const std::optional<std::string_view> is = text->value(moment);
      return is ? std::optional<double>(character_count(*is)) : std::nullopt;
    });
    return value;
  }
  if (!of.is_field || of.number != nullptr || of.truth != nullptr) {
    return wrong_at(node.children.front().column,
                    "expected a text or the name of a list in size(...), got {}", name_of(of.type));
  }
  value.number =
      computed<double>([slot = of.slot, is_map = of.type == Type::map](const Moment& moment) {
        return std::optional<double>(static_cast<double>(
            is_map ? moment.subject.entry_count(slot) : moment.subject.texts(slot).size()));
      });
  return value;
}

Compiler::Compiled Compiler::conversion(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value from, operand(node, 0, Type::text));
  return Value{.type = Type::number,
               .number = computed<double>([text = std::move(from.text)](const Moment& moment) {
                 const std::optional<std::string_view> is = text->value(moment);
                 return is ? number_in(*is) : std::nullopt;
               })};
}

Compiler::Compiled Compiler::timestamp(const Node& node) const {
  const Node& written = node.children.front();
  const auto time = written.kind == Kind::text ? parse_time(written.text)
                                               : absl::StatusOr<TimeMs>(invalid_argument("none"));
  if (!time.ok()) {
    return wrong_at(written.column,
                    "expected a time in quotes in timestamp(...), as in "
                    "timestamp(\"2026-11-21T10:00:00Z\")");
  }
  return Value{.type = Type::time,
               .number = computed<double>([at = static_cast<double>(*time)](const Moment&) {
                 return std::optional<double>(at);
               })};
}

Compiler::Compiled Compiler::days_since(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value when, operand(node, 0, Type::time));
  depends_on_time_ = true;
  return Value{.type = Type::number,
               .number = computed<double>([time = std::move(when.number)](const Moment& moment) {
                 const std::optional<double> at = time->value(moment);
                 if (!at) return std::optional<double>();
                 const auto day_ms = static_cast<double>(k_day_ms);
                 const double days =
                     std::floor((static_cast<double>(moment.now_ms) - *at) / day_ms);
                 moment.changes_at(static_cast<TimeMs>(*at + (days + 1) * day_ms));
                 return std::optional<double>(days);
               })};
}

Compiler::Compiled Compiler::sets(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value field, compile(node.children[0]));
  VITRINE_ASSIGN_OR_RETURN(Value wanted, compile(node.children[1]));
  if (!field.is_field || (field.type != Type::texts && field.type != Type::paths)) {
    return wrong_at(node.children[0].column, "expected the name of a list of texts in {}(...)",
                    spelling(node));
  }
  if (wanted.is_field || wanted.type != Type::texts) {
    return wrong_at(node.children[1].column,
                    "expected a list of texts as second argument of {}, as in [\"a\", \"b\"]",
                    spelling(node));
  }
  const bool needs_all = node.operation == Operation::contains_all;
  return Value{
      .type = Type::boolean,
      .truth = computed<bool>([slot = field.slot, are_paths = field.type == Type::paths, needs_all,
                               wanted = std::move(wanted.texts)](const Moment& moment) {
        const auto is_there = [&](const std::string& text) {
          return has_text(moment.subject.texts(slot), text, are_paths);
        };
        return std::optional<bool>(needs_all ? std::ranges::all_of(wanted, is_there)
                                             : std::ranges::any_of(wanted, is_there));
      })};
}

Compiler::Compiled Compiler::search(const Node& node) {
  VITRINE_ASSIGN_OR_RETURN(Value text, operand(node, 0, Type::text));
  VITRINE_ASSIGN_OR_RETURN(Value part, operand(node, 1, Type::text));
  const auto with = [&](auto is_found) {
    return Value{.type = Type::boolean,
                 .truth = comparison<std::string_view>(std::move(text.text), std::move(part.text),
                                                       is_found)};
  };
  switch (node.operation) {
    case Operation::contains:
      return with([](std::string_view a, std::string_view b) {
        return a.find(b) != std::string_view::npos;
      });
    case Operation::starts_with:
      return with([](std::string_view a, std::string_view b) { return a.starts_with(b); });
    default:
      return with([](std::string_view a, std::string_view b) { return a.ends_with(b); });
  }
}

}  // namespace vitrine::expressions
