// Values that are replaced in place while the server runs: read here, replaced by the writer, and
// only where nobody changed them in between.
//
// Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::events {

struct Replacement {
  store::Family family;
  std::string key;
  std::string before;
  std::optional<std::string> after;  // nothing: the key goes
};

// So many at once; a caller gathers no more either.
constexpr std::size_t k_replacements_at_once = 256;

// As Committer::submit_and_wait(), but waits while the queue is more than half full: it is never in
// anybody's way. ResourceExhausted when that does not end within a minute.
absl::Status submit_patiently(Committer& committer,
                              const std::function<absl::Status(Batch&)>& stage);

// Empties `replacements`, durably; how many of them still were as read. `beside` is staged in the
// same batch; may be empty.
absl::StatusOr<std::size_t> replace(Committer& committer, std::vector<Replacement>& replacements,
                                    const std::function<void(Batch&)>& beside = {});

// Replaces what it is given, so many at once. One thread.
class Replacer {
 public:
  explicit Replacer(Committer& committer) : committer_(committer) {}
  absl::Status add(Replacement replacement);
  absl::StatusOr<std::size_t> finish();  // how many in all still were as read

 private:
  absl::Status carry_out();

  Committer& committer_;
  std::vector<Replacement> gathered_;
  std::size_t replaced_ = 0;
};

}  // namespace vitrine::events
