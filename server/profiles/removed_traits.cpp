#include "server/profiles/removed_traits.h"

#include <boost/json.hpp>

namespace vitrine::profiles {
namespace {
namespace json = boost::json;
constexpr std::string_view k_field = "removed_traits";
}  // namespace

std::string removal_of(std::string_view trait) {
  return json::serialize(json::object{{k_field, json::array{json::string(trait)}}});
}

std::vector<std::string> removed_by(const Event& event) {
  std::vector<std::string> names;
  json::error_code error;
  const json::value properties = json::parse(event.properties_json, error);
  const json::object* const object = error ? nullptr : properties.if_object();
  const json::value* const found = object == nullptr ? nullptr : object->if_contains(k_field);
  if (found == nullptr || !found->is_array()) return names;
  for (const json::value& name : found->get_array()) {
    if (name.is_string()) names.emplace_back(name.get_string());
  }
  return names;
}

}  // namespace vitrine::profiles
