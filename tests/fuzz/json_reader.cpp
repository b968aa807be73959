// A body read field by field, as every handler does it, and written again.
#include "server/http/json_reader.h"

#include <boost/json/array.hpp>

#include "base/status.h"
#include "server/http/json_writer.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine::http {
namespace {

constexpr std::size_t k_depth_max = 32;
constexpr std::size_t k_text_bytes_max = 64;

void read(std::string_view text) {
  JsonDocument document;
  if (!document.parse(text, k_depth_max).ok()) return;
  ObjectReader reader(document.root(), "body");
  std::string written;
  JsonWriter json(written);
  json.begin_object();
  json.field("text", reader.required_text("text", k_text_bytes_max));
  if (const auto id = reader.text("id", k_text_bytes_max)) json.field("id", *id);
  if (const auto count = reader.integer("count", -5, 500)) {
    CHECK(*count >= -5 && *count <= 500, "an integer is within its bounds");
  }
  if (const auto share = reader.number("share", -1, 1)) {
    CHECK(*share >= -1 && *share <= 1, "a number is within its bounds");
  }
  reader.boolean("flag");
  CHECK(reader.texts("list", 4, k_text_bytes_max).size() <= 4, "a list is as long as it may be");
  const auto* const array = reader.array("array", 3);
  CHECK(array == nullptr || array->size() <= 3, "an array is as long as it may be");
  reader.object("object");
  reader.any("any");
  // A refusal may quote half a character: it is written all the same.
  json.field("message", message_of(reader.finish()));
  json.end_object();
  JsonDocument again;
  CHECK(again.parse(written, k_depth_max).ok(), "what is written is JSON");
}

}  // namespace
}  // namespace vitrine::http

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::http::read(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
