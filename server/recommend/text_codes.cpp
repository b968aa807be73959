#include "server/recommend/text_codes.h"

#include <mutex>
#include <utility>

namespace vitrine::recommend {
namespace {

// The length of the key tells where it ends.
std::string name_of(std::string_view key, std::string_view text) {
  std::string name;
  name.reserve(key.size() + text.size() + 2);
  name += static_cast<char>(key.size() & 0xFFU);
  name += static_cast<char>(key.size() >> 8U);
  name += key;
  name += text;
  return name;
}

}  // namespace

TextCodes::TextCodes() { texts_.resize(2); }

TextCodes::Code TextCodes::add(Text text) {
  const auto code = static_cast<Code>(texts_.size());
  bytes_ += sizeof(Text) + 2 * (text.key.size() + text.text.size()) + sizeof(std::string);
  texts_.push_back(std::move(text));
  return code;
}

TextCodes::Code TextCodes::other_of(std::string_view key) {
  if (key.size() > k_text_bytes_max || texts_.size() >= 2 * k_texts_max) return k_other;
  Key& known = keys_[std::string(key)];
  if (known.other == k_none) {
    known.other = add({.key = std::string(key), .text = {}, .is_other = true});
  }
  return known.other;
}

TextCodes::Code TextCodes::code_of(std::string_view key, std::string_view text) {
  const std::string name = name_of(key, text);
  {
    const std::shared_lock lock(mutex_);
    if (const auto found = codes_.find(name); found != codes_.end()) return found->second;
  }
  const std::lock_guard lock(mutex_);
  if (const auto found = codes_.find(name); found != codes_.end()) return found->second;
  if (key.size() > k_text_bytes_max || text.size() > k_text_bytes_max ||
      codes_.size() >= k_texts_max) {
    return other_of(key);
  }
  Key& known = keys_[std::string(key)];
  if (known.texts >= k_texts_of_key_max) return other_of(key);
  ++known.texts;
  const Code code = add({.key = std::string(key), .text = std::string(text)});
  codes_.emplace(name, code);
  return code;
}

std::size_t TextCodes::size() const {
  const std::shared_lock lock(mutex_);
  return texts_.size();
}

void TextCodes::for_each(std::size_t from, const std::function<void(const Text&)>& visit) const {
  const std::shared_lock lock(mutex_);
  for (std::size_t code = from; code < texts_.size(); ++code) visit(texts_[code]);
}

std::size_t TextCodes::bytes() const {
  const std::shared_lock lock(mutex_);
  return bytes_;
}

}  // namespace vitrine::recommend
