#include <optional>

#include "server/recommend/reason.h"
#include "server/recommend/sources/related.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

class Similar final : public CandidateSource {
 public:
  std::string_view name() const override { return "similar"; }

  SourceCost cost(const Context& context) const override {
    const Interest* const newest = context.newest_interest();
    const auto product = product_of_page(context);
    const bool is_search = product ? needs_search(context, *product)
                                   : newest != nullptr && needs_search(context, newest->product);
    return is_search ? SourceCost::search : SourceCost::lookup;
  }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    if (const auto product = product_of_page(context)) {
      return related_products(context, *product, out);
    }
    const Interest* const newest = context.newest_interest();
    return newest == nullptr ? absl::OkStatus() : related_products(context, newest->product, out);
  }

  Reason reason(const Context& context, ProductNumber) const override {
    if (const auto product = product_of_page(context)) {
      return about_product(context, "similar", "Similar to", *product);
    }
    return because_of(context, *context.newest_interest());
  }
};

}  // namespace

const CandidateSource& similar_source() {
  static const Similar source;
  return source;
}

}  // namespace vitrine::recommend
