// Orders a list the shop has already.
#include <algorithm>
#include <utility>

#include "base/status.h"
#include "server/recommend/answering.h"
#include "server/recommend/filter_stage.h"
#include "server/recommend/rule_stage.h"

namespace vitrine::recommend {
namespace {

absl::Status check_list(std::span<const std::string> products) {
  if (products.empty() || products.size() > Recommender::k_list_max) {
    return invalid_argument("products must have between 1 and {} entries, got {}",
                            Recommender::k_list_max, products.size());
  }
  return absl::OkStatus();
}

// The list without the exclusions that are about a placement's usual place.
Placement bare(const Placement& placement) {
  Placement bare = placement;
  bare.purchased = PurchasedPolicy::show;
  bare.exclude_product_group = false;
  bare.exclude_cart = false;
  bare.answers_newest = false;
  bare.filter = {};
  return bare;
}

class ListRanker {
 public:
  ListRanker(const Plan& plan, const Context& context, Scratch& memory)
      : plan_(plan), context_(context), memory_(memory) {}

  absl::StatusOr<Ranking> rank(std::span<const std::string> products) {
    ranking_.answer = begin_answer(context_);
    look_ahead(plan_, context_, memory_);
    FilterStage filter(context_, memory_.context.marks);
    plan_.gather(context_, filter, memory_);
    plan_.sort(context_, memory_.pool);
    RuleStage(context_, plan_.rules).rescore(memory_.pool);
    for (std::size_t i = 0; i < products.size(); ++i) {
      VITRINE_RETURN_IF_ERROR(sort_in(i, products[i]));
    }
    // Best first by score; what no source had a word on keeps its order behind.
    std::ranges::stable_sort(listed_, [](const Pick& a, const Pick& b) {
      if ((a.entry == nullptr) != (b.entry == nullptr)) return b.entry == nullptr;
      return a.score > b.score;
    });
    explain();
    for (Pick& pick : listed_) {
      ranking_.answer.products.push_back(shown(context_, std::move(pick)));
    }
    return std::move(ranking_);
  }

 private:
  // Of as many as an answer may have.
  void explain() {
    const std::size_t count = std::min(listed_.size(), Recommender::k_limit_max);
    for (Pick& pick : std::span(listed_).first(count)) {
      if (pick.entry == nullptr) return;
      pick.reason = pick.source->reason(context_, memory_.pool.given(*pick.entry));
    }
  }

  absl::Status sort_in(std::size_t place, const std::string& id) {
    const std::optional<ProductNumber> product = context_.numbers.find(id);
    if (!product || !is_known(*product)) {
      ranking_.unknown.push_back(id);
      return absl::OkStatus();
    }
    if (std::ranges::find(listed_, *product, &Pick::product) != listed_.end()) {
      return invalid_argument("products[{}] '{}' is named twice", place, id);
    }
    if (const std::optional<Removal> removal = removal_of(context_, *product)) {
      ranking_.removed.emplace_back(id, name_of(*removal));
    } else {
      listed_.push_back(pick_of(*product));
    }
    return absl::OkStatus();
  }

  bool is_known(ProductNumber product) const {
    return context_.catalog->size() == 0 || context_.catalog->find(product) != nullptr;
  }

  Pick pick_of(ProductNumber product) {
    const std::uint32_t slot = memory_.context.marks.at(product).slot;
    Pick pick;
    pick.product = product;
    pick.source = plan_.sources.front().source;
    if (slot == ProductMarks::k_no_slot) return pick;
    pick.entry = &memory_.pool.entries()[slot];
    pick.score = pick.entry->score;
    pick.source = plan_.sources[pick.entry->strongest].source;
    return pick;
  }

  const Plan& plan_;
  const Context& context_;
  Scratch& memory_;
  std::vector<Pick> listed_;
  Ranking ranking_;
};

}  // namespace

absl::StatusOr<Ranking> Recommender::rank(const RecommendRequest& request,
                                          std::span<const std::string> products) const {
  const std::int64_t started_us = steady_us();
  VITRINE_RETURN_IF_ERROR(check_list(products));
  const std::shared_ptr<const Plans> plans = plans_.current();
  VITRINE_ASSIGN_OR_RETURN(const Plan* const plan, plans->find(request.placement));
  VITRINE_RETURN_IF_ERROR(check(request, *plan->placement));
  const Placement placement = bare(*plan->placement);
  RecommendRequest listed = request;
  listed.filter = {};
  listed.limit = products.size();
  Scratch& memory = Scratch::of_this_thread();
  const Snapshot snapshot = take_snapshot(parts_, request);
  Context context = make_context(parts_, snapshot, listed, placement, memory.context);
  context.pool = profiles::PopularityBook::k_top_max;
  context.assortment = Assortment::of(products, context.numbers, context.catalog, context.live);
  auto ranking = ListRanker(*plan, context, memory).rank(products);
  if (ranking.ok()) ranking->answer.total_us = steady_us() - started_us;
  return ranking;
}

}  // namespace vitrine::recommend
