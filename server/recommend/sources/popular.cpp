#include <fmt/core.h>

#include "server/recommend/score_table.h"
#include "server/recommend/sources/related.h"
#include "server/recommend/sources/sources.h"

namespace vitrine::recommend {
namespace {

// Appends what is not in the list yet, up to the pool's size.
class Appending {
 public:
  Appending(const Context& context, std::vector<ProductNumber>& out)
      : context_(context), out_(out), known_(table()) {
    known_.begin();
  }
  bool is_full() const { return out_.size() >= context_.pool; }
  void add(ProductNumber product) {
    float& count = known_.at(product.value());
    if (count == 0 && !is_full()) out_.push_back(product);
    count = 1;
  }
  void add_rows(std::span<const PopularProduct> list) {
    for (const PopularProduct& entry : list) {
      if (is_full()) return;
      add(context_.live->number_of(entry.row));
    }
  }

 private:
  static ScoreTable& table() {
    thread_local ScoreTable known;
    return known;
  }

  const Context& context_;
  std::vector<ProductNumber>& out_;
  ScoreTable& known_;
};

// From the log, of the category that was asked for; behind it what the model knows of the category
// or the market, which goes deeper than the list of everything. A server that has a model and no
// events yet takes the model's word. Without a category the market's own list comes first.
class Popular final : public CandidateSource {
 public:
  std::string_view name() const override { return "popular"; }

  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    const std::string& category = context.request.category;
    const TrainedModel* const model = context.live->model();
    Appending list(context, out);
    if (model != nullptr && category.empty() && !context.request.market.empty()) {
      list.add_rows(model->popular_in_market().of(context.request.market));
    }
    const auto popular = context.popularity.popular();
    for (const profiles::PopularProduct& entry : *popular) {
      if (list.is_full()) break;
      const Product* const product =
          category.empty() ? nullptr : context.catalog->find(entry.product);
      if (category.empty() || (product != nullptr && is_in(*product, category))) {
        list.add(entry.product);
      }
    }
    if (model == nullptr) return absl::OkStatus();
    list.add_rows(model->popular_in_category().of(category));
    if (popular->empty()) {
      for (const std::uint32_t row : model->popularity().ranking()) {
        list.add(context.live->number_of(row));
        if (list.is_full()) break;
      }
    }
    return absl::OkStatus();
  }

  Reason reason(const Context& context, ProductNumber) const override {
    if (context.request.category.empty()) {
      return {.kind = "popular", .product_id = {}, .text = "Popular with our customers"};
    }
    return {.kind = "popular",
            .product_id = {},
            .text = fmt::format("Popular in {}", context.request.category)};
  }
};

}  // namespace

const CandidateSource& popular_source() {
  static const Popular source;
  return source;
}

}  // namespace vitrine::recommend
