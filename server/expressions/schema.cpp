#include "server/expressions/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace vitrine::expressions {
namespace {

constexpr std::size_t k_listed_max = 30;  // names in a message

char small(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// Levenshtein's distance: letters to insert, remove or replace; capitals count as small letters.
std::size_t edits_between(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0]++;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t replaced = diagonal + (small(a[i]) == small(b[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::optional<std::string_view> nearest_name(std::string_view name,
                                             std::span<const std::string_view> names) {
  const auto near = std::ranges::min_element(
      names, {}, [&](std::string_view known) { return edits_between(name, known); });
  const std::size_t edits_max = name.size() < 4 ? 1 : std::max<std::size_t>(2, name.size() / 3);
  if (near == names.end() || edits_between(name, *near) > edits_max) return std::nullopt;
  return *near;
}

std::string_view name_of(Type type) {
  switch (type) {
    case Type::boolean:
      return "a condition";
    case Type::number:
      return "a number";
    case Type::text:
      return "a text";
    case Type::time:
      return "a time";
    case Type::texts:
    case Type::paths:
      return "a list of texts";
    case Type::numbers:
      return "a list of numbers";
    case Type::map:
      return "a set of named texts";
  }
  return "a value";
}

Schema::Schema(std::string_view scope, std::vector<Field> fields, About about)
    : about_(about), scope_(scope), fields_(std::move(fields)) {}

Schema::Schema(std::string_view scope, std::span<const Schema* const> parts)
    : about_(About::things), scope_(scope) {
  CHECK(parts.size() <= k_parts_max, "a subject has as many parts");
  for (std::size_t part = 0; part < parts.size(); ++part) {
    if (part > 0) part_begins_.push_back(fields_.size());
    fields_.insert(fields_.end(), parts[part]->fields_.begin(), parts[part]->fields_.end());
    if (!parts[part]->is_about_people()) continue;
    about_ = About::people;
    people_part_ = part;
  }
}

std::size_t Schema::part_of(std::size_t slot) const {
  return static_cast<std::size_t>(
      std::ranges::count_if(part_begins_, [&](std::size_t begin) { return begin <= slot; }));
}

std::optional<std::size_t> Schema::find(std::string_view name) const {
  const auto found = std::ranges::find(fields_, name, &Field::name);
  if (found == fields_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - fields_.begin());
}

std::optional<std::string_view> Schema::nearest(std::string_view name) const {
  std::vector<std::string_view> names;
  names.reserve(fields_.size());
  for (const Field& field : fields_) names.push_back(field.name);
  return nearest_name(name, names);
}

std::string Schema::suggestion_for(std::string_view name) const {
  // Misspelt, spoken of as product.price, or misspelt before a key.
  for (const std::string_view part :
       {name, name.substr(name.rfind('.') + 1), name.substr(0, name.find('.'))}) {
    if (const auto near = nearest(part)) return fmt::format("; did you mean '{}'?", *near);
  }
  // Of many names those of the same kind: all of user. for user.x.
  const std::string_view prefix =
      fields_.size() <= k_listed_max ? "" : name.substr(0, name.find('.') + 1);
  std::string names;
  for (const Field& field : fields_) {
    if (!field.name.starts_with(prefix)) continue;
    if (!names.empty()) names += ", ";
    names += field.name;
  }
  if (names.empty()) return {};
  return fmt::format("; {} has {}", scope_, names);
}

}  // namespace vitrine::expressions
