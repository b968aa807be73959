// The ledger of erasures beside the store: the keyed hashes of everybody who was erased, for
// folders that are restored from a backup made before.
//
// One JSON object a line. Thread-safe; one writer at a time.
#pragma once

#include <absl/status/statusor.h>

#include <filesystem>
#include <string>
#include <vector>

#include "server/privacy/erasure_record.h"
#include "server/store/database.h"

namespace vitrine::privacy {

struct LedgerLine {
  std::string erasure_id;
  std::vector<std::string> keys;       // in hex
  std::vector<std::string> anonymous;  // of these
};

std::string ledger_line(const ErasureRecord& record);
absl::StatusOr<std::string> read_ledger(const std::filesystem::path& ledger);  // "": there is none
// DataLoss for a line that cannot be read.
absl::StatusOr<std::vector<LedgerLine>> read_lines(const std::filesystem::path& ledger);

// Has ids that the ledger knows and this store does not refused when they come: a backup made
// before these people came knows nothing of them. Before the identities are opened, and nobody
// writes.
absl::Status refuse_unknown(store::Database& database, const std::filesystem::path& ledger,
                            TimeMs now_ms);

}  // namespace vitrine::privacy
