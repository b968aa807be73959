// From a tree to terms over columns: what speaks of one text is found out once a text, what
// compares numbers is calculated in columns, and the rest is asked of products.
#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include "base/check.h"
#include "server/expressions/program.h"
#include "server/recommend/column_scan.h"

namespace vitrine::recommend {
namespace {

using expressions::Node;
using expressions::Operation;
using expressions::Program;
using Kind = Node::Kind;

// A field, or one entry of a field that is a map.
struct Atom {
  ProductSlot slot;
  std::optional<std::string> key = {};
  friend auto operator<=>(const Atom&, const Atom&) = default;
};

// The value of the one atom that is asked, whatever is asked for.
class OneText final : public expressions::Subject {
 public:
  explicit OneText(std::optional<std::string_view> text) : text_(text) {}
  std::optional<bool> boolean(std::size_t) const override { return std::nullopt; }
  std::optional<double> number(std::size_t) const override { return std::nullopt; }
  std::optional<std::string_view> text(std::size_t) const override { return text_; }
  std::span<const std::string> texts(std::size_t) const override { return {}; }
  std::optional<std::string_view> entry(std::size_t, std::string_view) const override {
    return text_;
  }
  std::size_t entry_count(std::size_t) const override { return 0; }

 private:
  std::optional<std::string_view> text_;
};

class OneTruth final : public expressions::Subject {
 public:
  explicit OneTruth(bool is_true) : is_true_(is_true) {}
  std::optional<bool> boolean(std::size_t) const override { return is_true_; }
  std::optional<double> number(std::size_t) const override { return std::nullopt; }
  std::optional<std::string_view> text(std::size_t) const override { return std::nullopt; }
  std::span<const std::string> texts(std::size_t) const override { return {}; }
  std::optional<std::string_view> entry(std::size_t, std::string_view) const override {
    return std::nullopt;
  }
  std::size_t entry_count(std::size_t) const override { return 0; }

 private:
  bool is_true_;
};

std::optional<Atom> atom_of(const Node& node) {
  const expressions::Schema& schema = product_schema();
  const auto named = [&](std::string_view name) -> std::optional<ProductSlot> {
    const auto slot = schema.find(name);
    return slot ? std::optional(static_cast<ProductSlot>(*slot)) : std::nullopt;
  };
  if (node.kind == Kind::key) {
    const auto map = named(node.children.front().text);
    return map ? std::optional(Atom{.slot = *map, .key = node.text}) : std::nullopt;
  }
  if (node.kind != Kind::name) return std::nullopt;
  if (const auto slot = named(node.text)) return Atom{.slot = *slot};
  const std::size_t point = node.text.rfind('.');
  if (point == std::string::npos) return std::nullopt;
  const auto map = named(std::string_view(node.text).substr(0, point));
  if (!map) return std::nullopt;
  return Atom{.slot = *map, .key = node.text.substr(point + 1)};
}

// Every atom below; names that are none count as an atom that no column has.
void collect(const Node& node, std::set<Atom>& atoms) {
  if (const auto atom = atom_of(node)) {
    atoms.insert(*atom);
  } else {
    for (const Node& child : node.children) collect(child, atoms);
  }
}

template <std::size_t n>
std::optional<std::size_t> place_in(const std::array<ProductSlot, n>& columns, ProductSlot slot) {
  const auto found = std::ranges::find(columns, slot);
  if (found == columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - columns.begin());
}

bool is_call(const Node& node, Operation operation) {
  return node.kind == Kind::call && node.operation == operation;
}

class Planner {
 public:
  explicit Planner(TimeMs now_ms) : now_ms_(now_ms) {}

  ScanTermPtr plan(const Node& node) const {
    if (node.kind == Kind::boolean) return scan_constant(node.is_true);
    if (is_call(node, Operation::logical_and)) return scan_all_of(plans(node));
    if (is_call(node, Operation::logical_or)) return scan_any_of(plans(node));
    if (is_call(node, Operation::logical_not)) return scan_not(plan(node.children.front()));
    if (ScanTermPtr term = of_one_field(node)) return term;
    if (ScanTermPtr term = of_list(node)) return term;
    if (ScanTermPtr term = of_numbers(node)) return term;
    return scan_product(asking(node));
  }

 private:
  std::vector<ScanTermPtr> plans(const Node& node) const {
    std::vector<ScanTermPtr> terms;
    terms.reserve(node.children.size());
    for (const Node& child : node.children) terms.push_back(plan(child));
    return terms;
  }

  static std::shared_ptr<const Program> compiled(const Node& node) {
    auto program = Program::compile(node, product_schema());
    CHECK(program.ok(), "a part of an expression that was compiled is one");
    return std::make_shared<const Program>(*std::move(program));
  }
  AskProduct asking(const Node& node) const {
    return [program = compiled(node), now_ms = now_ms_](const Product& product) {
      return program->holds(ProductSubject(product), now_ms);
    };
  }
  TextHolds holding(const Node& node) const {
    return [program = compiled(node), now_ms = now_ms_](std::optional<std::string_view> text) {
      return program->holds(OneText(text), now_ms);
    };
  }

  // What speaks of nothing but one field that is no number.
  ScanTermPtr of_one_field(const Node& node) const {
    std::set<Atom> atoms;
    collect(node, atoms);
    if (atoms.size() != 1) return nullptr;
    const Atom& atom = *atoms.begin();
    if (atom.key) return scan_attribute(*atom.key, holding(node), asking(node));
    if (const auto column = place_in(k_text_columns, atom.slot)) {
      return scan_text(*column, holding(node), asking(node));
    }
    if (atom.slot == ProductSlot::in_stock) return of_truth(node, &ColumnChunk::in_stock);
    if (atom.slot == ProductSlot::hidden) return of_truth(node, &ColumnChunk::hidden);
    if (const auto column = place_in(k_presence_columns, atom.slot)) {
      return is_call(node, Operation::has) ? scan_presence(*column) : nullptr;
    }
    if (const auto column = place_in(k_hash_columns, atom.slot)) return of_hash(node, *column);
    return nullptr;
  }

  ScanTermPtr of_truth(const Node& node, ColumnBits ColumnChunk::* column) const {
    const auto program = compiled(node);
    const bool when_true = program->holds(OneTruth(true), now_ms_);
    const bool when_false = program->holds(OneTruth(false), now_ms_);
    if (when_true == when_false) return scan_constant(when_true);
    return when_true ? scan_bits(column) : scan_not(scan_bits(column));
  }

  // One of some texts, or another one.
  ScanTermPtr of_hash(const Node& node, std::size_t column) const {
    if (is_call(node, Operation::has)) return scan_has_hash(column);
    if (node.kind != Kind::call || node.children.size() != 2) return nullptr;
    const Node& first = node.children[0];
    const Node& second = node.children[1];
    std::vector<std::uint32_t> hashes;
    if (node.operation == Operation::in && first.kind == Kind::name && second.kind == Kind::list) {
      for (const Node& text : second.children) hashes.push_back(column_hash(text.text));
      return scan_hashes(column, std::move(hashes), asking(node));
    }
    const Node& text = first.kind == Kind::text ? first : second;
    const bool is_named = first.kind == Kind::name || second.kind == Kind::name;
    if (text.kind != Kind::text || !is_named) return nullptr;
    hashes = {column_hash(text.text)};
    if (node.operation == Operation::equal) {
      return scan_hashes(column, std::move(hashes), asking(node));
    }
    if (node.operation != Operation::not_equal) return nullptr;
    Node equal = node;
    equal.operation = Operation::equal;
    std::vector<ScanTermPtr> terms;
    terms.push_back(scan_has_hash(column));
    terms.push_back(scan_not(scan_hashes(column, std::move(hashes), asking(equal))));
    return scan_all_of(std::move(terms));
  }

  // "DE" in markets, sets.contains(categories, [...]), has(attributes)
  ScanTermPtr of_list(const Node& node) const {
    if (node.kind != Kind::call) return nullptr;
    if (node.operation == Operation::in && node.children[0].kind == Kind::text) {
      const auto column = list_of(node.children[1]);
      return column ? any_is(*column, node.children[0].text, asking(node)) : nullptr;
    }
    if (node.operation == Operation::has) {
      const auto column = list_of(node.children[0]);
      return column ? scan_comparison(Operation::greater, number_list_size(*column),
                                      number_constant(0))
                    : nullptr;
    }
    const bool needs_all = node.operation == Operation::contains_all;
    if (!needs_all && node.operation != Operation::intersects) return nullptr;
    const auto column = list_of(node.children[0]);
    if (!column) return nullptr;
    std::vector<ScanTermPtr> terms;
    for (const Node& text : node.children[1].children) {
      terms.push_back(any_is(*column, text.text, asking(asked_for(node, text))));
    }
    return needs_all ? scan_all_of(std::move(terms)) : scan_any_of(std::move(terms));
  }

  // Whether the list has this one of the texts.
  static Node asked_for(const Node& node, const Node& text) {
    Node asked = node;
    asked.children[1].children = {text};
    return asked;
  }

  static std::optional<std::size_t> list_of(const Node& node) {
    const auto atom = atom_of(node);
    return atom && !atom->key ? place_in(k_list_columns, atom->slot) : std::nullopt;
  }

  static ScanTermPtr any_is(std::size_t column, const std::string& wanted, AskProduct ask) {
    switch (k_list_columns.at(column)) {
      case ProductSlot::attributes:
        return scan_has_attribute(wanted, std::move(ask));
      case ProductSlot::categories:
        return scan_any_text(
            column, [wanted](auto text) { return text && is_in_category(*text, wanted); },
            std::move(ask));
      default:
        return scan_any_text(
            column, [wanted](auto text) { return text && *text == wanted; }, std::move(ask));
    }
  }

  ScanTermPtr of_numbers(const Node& node) const {
    if (node.kind != Kind::call) return nullptr;
    NumberTermPtr left = number(node.children[0]);
    if (left == nullptr) return nullptr;
    if (node.operation == Operation::has) return scan_has_number(std::move(left));
    if (node.operation == Operation::in && node.children[1].kind == Kind::list) {
      std::vector<double> sorted;
      for (const Node& one : node.children[1].children) sorted.push_back(one.number);
      std::ranges::sort(sorted);
      return scan_number_in(std::move(left), std::move(sorted));
    }
    if (node.operation < Operation::equal || node.operation > Operation::greater_equal) {
      return nullptr;
    }
    NumberTermPtr right = number(node.children[1]);
    if (right == nullptr) return nullptr;
    return scan_comparison(node.operation, std::move(left), std::move(right));
  }

  // Null where columns do not have it.
  NumberTermPtr number(const Node& node) const {
    if (node.kind == Kind::number) {
      return std::isfinite(node.number) ? number_constant(node.number) : nullptr;
    }
    if (const auto atom = atom_of(node)) {
      const auto column = atom->key ? std::nullopt : place_in(k_number_columns, atom->slot);
      return column ? number_column(*column) : nullptr;
    }
    return node.kind == Kind::call ? calculated(node) : nullptr;
  }

  NumberTermPtr calculated(const Node& node) const {
    switch (node.operation) {
      case Operation::timestamp: {
        const auto time = parse_time(node.children[0].text);
        return time.ok() ? number_constant(static_cast<double>(*time)) : nullptr;
      }
      case Operation::size: {
        const auto column = list_of(node.children[0]);
        return column ? number_list_size(*column) : nullptr;
      }
      case Operation::days_since:
      case Operation::negate: {
        NumberTermPtr of = number(node.children[0]);
        if (of == nullptr) return nullptr;
        return node.operation == Operation::negate ? number_negated(std::move(of))
                                                   : number_days_since(std::move(of), now_ms_);
      }
      case Operation::add:
      case Operation::subtract:
      case Operation::multiply:
      case Operation::divide:
      case Operation::remainder: {
        NumberTermPtr left = number(node.children[0]);
        NumberTermPtr right = left != nullptr ? number(node.children[1]) : nullptr;
        if (right == nullptr) return nullptr;
        return number_of(node.operation, std::move(left), std::move(right));
      }
      default:
        return nullptr;
    }
  }

  TimeMs now_ms_;
};

}  // namespace

ScanTermPtr scan_of(const ProductExpression& expression, TimeMs now_ms) {
  const Node* const tree = expression.product_tree();
  if (tree == nullptr) return scan_constant(true);
  return Planner(now_ms - now_ms % ProductExpression::k_time_step_ms).plan(*tree);
}

}  // namespace vitrine::recommend
