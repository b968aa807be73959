#include "server/segments/segment.h"

#include <algorithm>

#include "base/status.h"
#include "model/event.h"
#include "server/expressions/failure.h"

namespace vitrine::segments {
namespace {

bool is_key_letter(char letter) {
  return (letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9') || letter == '-' ||
         letter == '_';
}

absl::Status check_text(std::string_view field, std::string_view text) {
  if (text.size() > Segment::k_text_bytes_max) {
    return invalid_argument("{} may have at most {} bytes, got {}", field,
                            Segment::k_text_bytes_max, text.size());
  }
  if (!is_valid_utf8(text)) return invalid_argument("{} must be UTF-8", field);
  return absl::OkStatus();
}

}  // namespace

std::string_view name_of(Segment::Kind kind) {
  switch (kind) {
    case Segment::Kind::dynamic:
      return "dynamic";
    case Segment::Kind::snapshot:
      return "snapshot";
    case Segment::Kind::fixed:
      return "static";
  }
  return {};
}

absl::Status validate(const Segment& segment) {
  if (segment.key.empty() || segment.key.size() > Segment::k_key_bytes_max ||
      !std::ranges::all_of(segment.key, is_key_letter)) {
    return invalid_argument("segment must be 1 to {} of a-z, 0-9, - and _, got '{}'",
                            Segment::k_key_bytes_max, expressions::quoted(segment.key));
  }
  if (segment.key == "preview") return invalid_argument("segment must not be 'preview'");
  VITRINE_RETURN_IF_ERROR(check_text("name", segment.name));
  VITRINE_RETURN_IF_ERROR(check_text("description", segment.description));
  if (segment.kind == Segment::Kind::fixed && !segment.expression.empty()) {
    return invalid_argument("expression must be absent in a static segment: people are put in");
  }
  if (segment.kind != Segment::Kind::fixed && segment.expression.empty()) {
    return invalid_argument("expression must say who is in a {} segment", name_of(segment.kind));
  }
  return absl::OkStatus();
}

const Segment* SegmentList::find(std::string_view key) const {
  const auto place = std::ranges::lower_bound(segments_, key, {}, &Segment::key);
  return place != segments_.end() && place->key == key ? &*place : nullptr;
}

SegmentList SegmentList::with(Segment segment) const {
  SegmentList next = without(segment.key);
  const auto place = std::ranges::lower_bound(next.segments_, segment.key, {}, &Segment::key);
  next.segments_.insert(place, std::move(segment));
  return next;
}

SegmentList SegmentList::without(std::string_view key) const {
  SegmentList next = *this;
  std::erase_if(next.segments_, [&](const Segment& segment) { return segment.key == key; });
  return next;
}

}  // namespace vitrine::segments
