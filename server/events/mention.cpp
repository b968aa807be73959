#include "server/events/mention.h"

#include <absl/strings/ascii.h>
#include <absl/strings/match.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstddef>
#include <utility>

namespace vitrine::events {
namespace {

namespace json = boost::json;

std::string_view view(const json::string& text) { return {text.data(), text.size()}; }
std::string_view view(json::string_view text) { return {text.data(), text.size()}; }

bool is_of_a_word(char c) {
  const auto byte = static_cast<unsigned char>(c);
  constexpr unsigned char k_first_beyond_ascii = 0x80;
  return byte >= k_first_beyond_ascii || absl::ascii_isalnum(byte);
}

bool stands_alone(std::string_view text, std::size_t at, std::size_t bytes) {
  const std::size_t end = at + bytes;
  return (at == 0 || !is_of_a_word(text[at - 1])) &&
         (end == text.size() || !is_of_a_word(text[end]));
}

bool names(std::string_view text, const std::string& id) {
  if (id.size() < Mention::k_word_bytes) return false;
  for (std::size_t at = text.find(id); at != std::string_view::npos; at = text.find(id, at + 1)) {
    if (id.size() >= Mention::k_sure_bytes || stands_alone(text, at, id.size())) return true;
  }
  return false;
}

bool is_id_field(std::string_view name) {
  return absl::EndsWithIgnoreCase({name.data(), name.size()}, "id");
}

// Takes out what names an id; whether anything did. `name` is what the value is called.
bool strip(json::value& value, std::string_view name, const Mention& mention) {
  bool found = false;
  if (json::object* const object = value.if_object()) {
    std::vector<std::string> gone;
    for (auto& member : *object) {
      found = strip(member.value(), view(member.key()), mention) || found;
      if (mention.is_in(view(member.key()))) gone.emplace_back(member.key());
    }
    for (const std::string& key : gone) object->erase(key);
    return found || !gone.empty();
  }
  if (json::array* const array = value.if_array()) {
    for (json::value& inner : *array) found = strip(inner, name, mention) || found;
    return found;
  }
  if (const json::string* const text = value.if_string()) {
    found = mention.is_in(view(*text)) || (is_id_field(name) && mention.is_id(view(*text)));
  } else if (value.is_number() && is_id_field(name)) {
    found = mention.is_id(json::serialize(value));
  }
  if (found) value = nullptr;
  return found;
}

}  // namespace

Mention::Mention(std::vector<std::string> ids) : ids_(std::move(ids)) {
  std::erase_if(ids_, [](const std::string& id) { return id.empty(); });
}

bool Mention::is_in(std::string_view text) const {
  return std::ranges::any_of(ids_, [&](const std::string& id) { return names(text, id); });
}

bool Mention::is_id(std::string_view text) const {
  return std::ranges::find(ids_, text) != ids_.end();
}

bool Mention::may_be_in(std::string_view text) const {
  if (text.find('\\') != std::string_view::npos) return true;
  return std::ranges::any_of(
      ids_, [&](const std::string& id) { return text.find(id) != std::string_view::npos; });
}

bool Mention::is_in_json(std::string_view text) const {
  if (text.empty() || !may_be_in(text)) return false;
  json::error_code error;
  json::value value = json::parse(text, error);
  return error ? is_in(text) : strip(value, {}, *this);
}

std::string Mention::without(std::string_view text) const {
  if (text.empty() || !may_be_in(text)) return std::string(text);
  json::error_code error;
  json::value value = json::parse(text, error);
  if (error) return is_in(text) ? std::string() : std::string(text);
  return strip(value, {}, *this) ? json::serialize(value) : std::string(text);
}

}  // namespace vitrine::events
