// The manifest of a trained model, with a checksum that fits: what is read can be written, and is
// read as it was.
#include "model/model_manifest.h"

#include <fmt/format.h>

#include <fstream>
#include <string>

#include "base/crypto.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/temp_folder.h"

namespace vitrine {
namespace {

void write(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void read(std::string_view bytes) {
  static const TempFolder folder;
  write(folder / "manifest.pb", bytes);
  write(folder / "manifest.sha256", fmt::format("{}  manifest.pb\n", to_hex(sha256(bytes))));
  const auto manifest = read_manifest(folder.path());
  if (!manifest.ok()) return;
  if (!write_manifest(*manifest, folder.path()).ok()) return;  // text that is no UTF-8
  const auto again = read_manifest(folder.path());
  CHECK(again.ok(), "what was written is read");
  CHECK(again->version == manifest->version && again->rows == manifest->rows &&
            again->files.size() == manifest->files.size() &&
            again->record.settings == manifest->record.settings,
        "it is read as it was written");
}

}  // namespace
}  // namespace vitrine

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::read(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
