#include <algorithm>

#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

constexpr TimeMs k_new_ms = 60 * k_day_ms;  // since it was created
// Product numbers are given in the order products are first seen, so the latest have the highest.
// How far back is looked is limited, whatever the size of the catalog.
constexpr std::size_t k_numbers_looked_at_max = 4000;

struct Arrival {
  ProductNumber product;
  TimeMs created_at_ms;
};

// What was created lately, the latest first; behind it the others, in case all else is not enough.
class New final : public CandidateSource {
 public:
  std::string_view name() const override { return "new"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    thread_local std::vector<Arrival> arrivals;
    arrivals.clear();
    const std::size_t end = context.numbers.size();
    const std::size_t looked_at = std::min(end, k_numbers_looked_at_max);
    for (std::size_t back = 1; back <= looked_at; ++back) {
      const ProductNumber number(static_cast<std::uint32_t>(end - back));
      const Product* const product = context.catalog->find(number);
      if (product != nullptr) arrivals.push_back({number, product->created_at_ms});
    }
    const TimeMs from_ms = context.now_ms - k_new_ms;
    const auto old = std::ranges::stable_partition(
        arrivals, [&](const Arrival& arrival) { return arrival.created_at_ms >= from_ms; });
    std::ranges::stable_sort(arrivals.begin(), old.begin(), std::greater<>(),
                             &Arrival::created_at_ms);
    for (const Arrival& arrival : arrivals) {
      if (out.size() == context.pool) break;
      out.push_back(arrival.product);
    }
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber product) const override {
    const Product* const known = context.catalog->find(product);
    const bool is_new = known != nullptr && known->created_at_ms >= context.now_ms - k_new_ms;
    if (is_new) return {.kind = "new", .product_id = {}, .text = "New in the shop"};
    return {.kind = "from_the_shop", .product_id = {}, .text = "From our shop"};
  }
};

}  // namespace

const CandidateSource& new_source() {
  static const New source;
  return source;
}

}  // namespace vitrine::recommend
