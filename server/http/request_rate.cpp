#include "server/http/request_rate.h"

#include <algorithm>

#include "server/http/json_reader.h"

namespace vitrine::http {

RequestRate read_rate(ObjectReader& reader) {
  RequestRate rate;
  if (const auto per_second =
          reader.integer("requests_per_second", 1, RequestRate::k_per_second_max)) {
    rate.per_second = static_cast<std::uint32_t>(*per_second);
    rate.burst = std::min(2 * rate.per_second, RequestRate::k_burst_max);
  }
  if (const auto burst = reader.integer("burst", 1, RequestRate::k_burst_max)) {
    rate.burst = static_cast<std::uint32_t>(*burst);
  }
  return rate;
}

}  // namespace vitrine::http
