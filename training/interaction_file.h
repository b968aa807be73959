// Reads interactions from a file, plain or gzip'ed, whose form is told by its first lines.
//
//   user<TAB>product[<TAB>weight[<TAB>time]]   one pair a line
//   user product product ...                   one user a line, separated by blanks
//   CSV with a header                          see k_columns: product_id or item_id, and whatever
//                                              else is known; other columns are ignored
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <filesystem>
#include <functional>

#include "training/interaction.h"

namespace vitrine::training {

struct InteractionFileFacts {
  std::uint64_t lines = 0;  // without header and empty lines
  std::uint64_t interactions =
      0;  // handed on; lines of types that do not concern a product are left out
};

// Calls `take` for every interaction, in the order of the file. A time that is missing is 0; an
// order id is kept apart by its user or visitor only if the file does so. Errors name file, line
// and reason; what was taken before stays taken.
absl::StatusOr<InteractionFileFacts> read_interactions(
    const std::filesystem::path& path, const std::function<void(const Interaction&)>& take);

}  // namespace vitrine::training
