// Files of products and events, CSV or NDJSON, plain or packed: the first byte says what they hold.
#include <boost/json.hpp>

#include "server/app/import/event_rows.h"
#include "server/app/import/product_rows.h"
#include "server/app/import/row_reader.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine::app {
namespace {

void read(std::string_view input) {
  const unsigned choice = fuzz::take_choice(input);
  const fuzz::MemoryFile file(input);
  auto rows = RowReader::open(file.path());
  if (!rows.ok()) return;
  Row row;
  for (;;) {
    const auto more = rows->next(row);
    if (!more.ok() || !*more) return;
    CHECK(row.refusal.empty() || row.fields.empty(), "a refused row has no fields");
    if (!row.refusal.empty()) continue;
    std::string json;
    const absl::Status written =
        choice % 2 == 0
            ? append_event(row, {.shift_ms = 1000, .currency = "EUR", .currency_of = {}}, json)
            : append_product(row, "EUR", json);
    if (!written.ok()) continue;
    boost::json::error_code error;
    boost::json::parse_options options;
    options.allow_invalid_utf8 = true;
    boost::json::parse(json, error, {}, options);
    CHECK(!error, "a row is written as JSON");
  }
}

}  // namespace
}  // namespace vitrine::app

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::app::read(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
