#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "server/recommend/repurchase.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// What the person bought before, most often first, of equals the latest: a customer's own order
// count says more about the next order than most models do. What is not due yet is for the filter.
class BuyAgainSource final : public CandidateSource {
 public:
  std::string_view name() const override { return "buy_again"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    if (context.profile == nullptr) return absl::OkStatus();
    thread_local std::vector<const profiles::Bought*> kept;
    kept.clear();
    for (const profiles::Bought& bought : context.profile->bought) {
      if (bought.is_kept()) kept.push_back(&bought);
    }
    const std::size_t count = std::min(kept.size(), context.pool);
    std::ranges::partial_sort(kept, kept.begin() + static_cast<std::ptrdiff_t>(count), is_before);
    for (std::size_t i = 0; i < count; ++i) out.push_back(kept[i]->product);
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber product) const override {
    const std::optional<float> days = repurchase_days(context, product);
    if (!days) return {.kind = "buy_again", .product_id = {}, .text = "You bought this before"};
    return {.kind = "buy_again",
            .product_id = {},
            .text = fmt::format("You bought this before; it is usually bought again after {} days",
                                std::max(1L, std::lround(*days)))};
  }

 private:
  static bool is_before(const profiles::Bought* a, const profiles::Bought* b) {
    if (a->orders != b->orders) return a->orders > b->orders;
    return a->last_ms != b->last_ms ? a->last_ms > b->last_ms : a->product < b->product;
  }
};

}  // namespace

const CandidateSource& buy_again_source() {
  static const BuyAgainSource source;
  return source;
}

}  // namespace vitrine::recommend
