#include <optional>

#include "server/recommend/next_products.h"
#include "server/recommend/reason.h"
#include "server/recommend/sources/related.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// What others looked at beside the product of the page, else beside the one looked at last: by the
// model, and for a product the model knows nothing of, by the sessions since.
class AlsoViewed final : public CandidateSource {
 public:
  std::string_view name() const override { return "also_viewed"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    const std::optional<ProductNumber> product = anchor(context);
    if (!product) return absl::OkStatus();
    if (const auto row = context.live->row_of(*product);
        row && *row < context.live->model_row_count()) {
      for (const RelatedProduct& related : context.live->model()->also_viewed().of(*row)) {
        out.push_back(context.live->number_of(related.row));
      }
    }
    if (!out.empty()) return absl::OkStatus();
    thread_local std::vector<NextProduct> next;
    find_next_products(context.sessions, {&*product, 1}, std::nullopt, context.pool, next);
    for (const NextProduct& entry : next) out.push_back(entry.product);
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber product) const override {
    return also_looked_at(context, anchor(context).value_or(product));
  }

 private:
  static std::optional<ProductNumber> anchor(const Context& context) {
    if (const auto product = product_of_page(context)) return product;
    const Interest* const newest = context.newest_interest();
    if (newest != nullptr) return newest->product;
    if (!context.session.empty()) return context.session.back();
    return std::nullopt;
  }
};

}  // namespace

const CandidateSource& also_viewed_source() {
  static const AlsoViewed source;
  return source;
}

}  // namespace vitrine::recommend
