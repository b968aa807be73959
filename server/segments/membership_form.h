// Whether bytes are a stored bitmap that can be handed to Roaring: its own reader checks lengths
// alone, and a container whose numbers are out of order, or fewer than it says, ends the process
// later.
#pragma once

#include <string_view>

namespace vitrine::segments {

// The portable form of RoaringFormatSpec (github.com/RoaringBitmap/RoaringFormatSpec), cookies
// 12346 and 12347, whole and nothing behind it: containers by ascending key, numbers ascending
// within each, as many as its head says. The table of offsets is skipped, as Roaring's reader does.
// One pass, nothing allocated.
bool is_whole_bitmap(std::string_view bytes);

}  // namespace vitrine::segments
