// The bytes of each event of a batch, as they came. For this folder's files only.
#pragma once

#include <string_view>
#include <vector>

namespace vitrine::collect {

// The elements of the array under the first-level key `list` (the last one, if it is there more
// than once). `body` is valid JSON with an object at the top and an array under that key; the key
// is written there without escapes.
std::vector<std::string_view> raw_events(std::string_view body, std::string_view list);

}  // namespace vitrine::collect
