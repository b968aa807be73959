// What every target of this folder is made of: one function that takes whatever bytes there are.
//
// A target calls a parser through its public door and checks what the parser promises; CHECK ends
// the process, which is how a finding shows. The same function is run by libFuzzer (./run fuzz)
// and, over the committed corpus, by every test run.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string_view>

#include "base/check.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);

namespace vitrine::fuzz {

inline std::string_view text_of(const std::uint8_t* bytes, std::size_t size) {
  return {reinterpret_cast<const char*>(bytes), size};
}

// Takes the first byte off, which chooses among several ways in; 0 when there is none.
inline unsigned take_choice(std::string_view& input) {
  if (input.empty()) return 0;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  return choice;
}

// The bytes as a file, for parsers that open one; in memory, and gone with the object.
class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  std::filesystem::path path() const;

 private:
  int descriptor_;
};

}  // namespace vitrine::fuzz
