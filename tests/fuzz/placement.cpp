// Placements with their conditions, boosts and rules, as people write them; what is taken is
// written and read again.
#include "server/http/json_writer.h"
#include "server/http/placement_json.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_depth_max = 32;

std::string written(const recommend::Placement& placement) {
  std::string text;
  JsonWriter json(text);
  append_placement(json, placement);
  return text;
}

void read(std::string_view text) {
  const auto placement = placement_from_json(text, "footer", k_depth_max);
  if (!placement.ok()) return;
  CHECK(recommend::validate(*placement).ok(), "what is read can be served");
  const std::string first = written(*placement);
  const auto again = placement_from_json(first, "footer", k_depth_max);
  CHECK(again.ok() && written(*again) == first, "a placement is read as it is written");
}

}  // namespace
}  // namespace vitrine::http

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::http::read(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
