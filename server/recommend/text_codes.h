// Numbers for the texts of a column: what many products share is compared as a number.
//
// Grows only, up to its limits: what is past them has no number of its own, and whoever meets it
// asks the product. Thread-safe.
#pragma once

#include <absl/container/flat_hash_map.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <shared_mutex>
#include <string>
#include <string_view>

namespace vitrine::recommend {

class TextCodes {
 public:
  using Code = std::uint32_t;
  static constexpr Code k_none = 0;   // there is no text
  static constexpr Code k_other = 1;  // one without a number
  static constexpr std::size_t k_text_bytes_max = 256;
  static constexpr std::size_t k_texts_max = 500'000;
  static constexpr std::size_t k_texts_of_key_max = 65'536;  // of one attribute

  struct Text {
    std::string key;  // of an attribute; empty elsewhere
    std::string text;
    bool is_other = false;  // any text of this key that has no number
  };

  TextCodes();
  // Never k_none.
  Code code_of(std::string_view key, std::string_view text);
  std::size_t size() const;  // codes are below
  // All of [from, size()), in order; must not call back.
  void for_each(std::size_t from, const std::function<void(const Text&)>& visit) const;
  std::size_t bytes() const;

 private:
  struct Key {
    std::size_t texts = 0;
    Code other = k_none;  // once it was needed
  };
  Code add(Text text);  // under the lock, as what follows
  Code other_of(std::string_view key);

  mutable std::shared_mutex mutex_;  // guards all below
  std::deque<Text> texts_;           // by code
  absl::flat_hash_map<std::string, Code> codes_;
  absl::flat_hash_map<std::string, Key> keys_;
  std::size_t bytes_ = 0;
};

}  // namespace vitrine::recommend
