// Reads query parameters strictly, as ObjectReader reads JSON: the first error sticks, finish()
// refuses what nobody asked for.
//
// Not thread-safe.
#pragma once

#include <absl/status/status.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/request.h"

namespace vitrine::http {

class QueryReader {
 public:
  // `parameters` and the names asked for must outlive the reader.
  explicit QueryReader(const Parameters& parameters) : parameters_(parameters) {}

  // An empty value counts as absent, here and below.
  std::optional<std::string_view> text(std::string_view name, std::size_t max_bytes);
  std::optional<std::int64_t> integer(std::string_view name, std::int64_t low, std::int64_t high);
  std::optional<bool> boolean(std::string_view name);
  // "p1,p2": up to `max_count` texts.
  std::vector<std::string> texts(std::string_view name, std::size_t max_count,
                                 std::size_t max_bytes);

  // Reports a finding of the caller's own, unless there is an earlier one.
  void refuse(std::string_view name, std::string_view message);

  // The first error, or a parameter that is unknown or given twice. `key` is always known.
  absl::Status finish();

 private:
  const Parameters& parameters_;
  std::vector<std::string_view> known_;
  absl::Status status_;
};

}  // namespace vitrine::http
