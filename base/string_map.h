// Hash containers keyed by text that can be asked with a std::string_view without building a
// std::string.
#pragma once

#include <absl/container/flat_hash_map.h>
#include <absl/container/flat_hash_set.h>

#include <functional>
#include <string>
#include <string_view>

namespace vitrine {

struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};
struct TextEqual {
  using is_transparent = void;
  bool operator()(std::string_view a, std::string_view b) const { return a == b; }
};

template <class Value>
using StringMap = absl::flat_hash_map<std::string, Value, TextHash, TextEqual>;
using StringSet = absl::flat_hash_set<std::string, TextHash, TextEqual>;

}  // namespace vitrine
