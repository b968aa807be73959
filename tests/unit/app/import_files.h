// Small files to import.
#pragma once

#include <filesystem>
#include <fstream>
#include <string_view>

#include "server/app/import/row_reader.h"
#include "tests/support/temp_folder.h"

namespace vitrine::app {

inline std::filesystem::path write_text(const std::filesystem::path& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

// A row as RowReader gives it; the texts must outlive it.
inline Row row_of(std::vector<RowField> fields) {
  Row row;
  row.line = 2;
  row.fields = std::move(fields);
  return row;
}

}  // namespace vitrine::app
