// Packed bodies: gzip, zlib and bare deflate.
#include "base/inflate.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  constexpr std::size_t max_bytes = 256 * 1024;
  const auto unpacked = vitrine::inflate(vitrine::fuzz::text_of(bytes, size), max_bytes);
  CHECK(!unpacked.ok() || unpacked->size() <= max_bytes, "no more comes out than is allowed");
  return 0;
}
