// Everything the stages of one answer read: the request and one snapshot of each thing it needs.
//
// Thread-safety: used by one request, on one thread; what it points to is immutable.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/recommend/assortment.h"
#include "server/recommend/interest.h"
#include "server/recommend/product_marks.h"
#include "server/recommend/recommender.h"
#include "server/recommend/taste_search.h"

namespace vitrine::recommend {

class Visit;

// One look at everything that changes: what the answers of one page share.
struct Snapshot {
  std::shared_ptr<const live_model::LiveModel> live;
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;
  identity::Who who;  // nobody for somebody unknown, or not to be known
  std::shared_ptr<const profiles::Profile> profile;  // null likewise
  TimeMs now_ms;
  bool personalize = true;  // neither the request nor the person refuses
};

// Finds out who this is unless the request forbids it.
Snapshot take_snapshot(const Recommender::Parts& parts, const RecommendRequest& request);

struct Context {
  // How many candidates a source gives when nothing narrows the answer down.
  static constexpr std::size_t k_pool_products = 200;

  const RecommendRequest& request;
  const Placement& placement;
  const catalog::ProductNumbers& numbers;
  const profiles::PopularityBook& popularity;
  const profiles::SessionBook& sessions;
  std::shared_ptr<const live_model::LiveModel> live;
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;
  std::shared_ptr<const profiles::Profile>
      profile;  // null for somebody unknown, or not to be known
  TimeMs now_ms;
  bool personalize;                        // false: nothing known about the person may have a say
  UserNumber user;                         // k_nobody as `profile` is null
  std::optional<ProductNumber> product;    // the one looked at, if the shop ever named it before
  const std::vector<ProductNumber>& cart;  // likewise
  const std::vector<Interest>& interests;  // latest first; empty without a profile
  // What was looked at in this session, oldest first, the product of the page last.
  const std::vector<ProductNumber>& session;
  std::optional<profiles::SessionRef> own_session;  // the same in `sessions`, if it is there
  const ProductMarks& marks;
  const TasteSearches& tastes;                       // what was found before the sources are asked
  const std::vector<std::string_view>& page_groups;  // of what the page shows already
  const std::function<std::int64_t()>& steady;
  std::int64_t deadline_us;  // of steady(); a source that has not begun by then is left out
  std::size_t pool;          // how many candidates to give: more where the filter will take many
  bool has_filter;           // of the request or the placement
  // Null where nothing that is asked speaks of it.
  std::shared_ptr<const Visit> visit = nullptr;
  // What the request's category and market and the filters leave; null for everything.
  std::shared_ptr<const Assortment> assortment = nullptr;

  std::int64_t left_us() const { return deadline_us - steady(); }
  bool is_in_audience() const;  // whether the placement is for this visit
  bool is_late() const { return left_us() <= 0; }
  // The row's vector; empty when the live model has none for the product.
  std::span<const float> vector_of(ProductNumber product_number) const {
    const std::optional<std::uint32_t> row = live->row_of(product_number);
    return row ? live->vector(*row) : std::span<const float>();
  }
  // As the model has it; 0 for a product it was not trained on.
  float popularity_of(ProductNumber product_number) const;
  // What the person bought of the product; null when they did not, or gave it back.
  const profiles::Bought* bought(ProductNumber product_number) const;
  // Whether a reason should speak of the product: rather not of a fee or what the shop hides.
  bool may_name(ProductNumber product_number) const {
    const Product* const known = catalog->find(product_number);
    return known == nullptr || !known->hidden;
  }
  // The latest interest a reason may name, else the latest; null without any.
  const Interest* newest_interest() const {
    for (const Interest& interest : interests) {
      if (may_name(interest.product)) return &interest;
    }
    return interests.empty() ? nullptr : &interests.front();
  }
  // Whether something about the person is known here.
  bool is_personal() const { return !interests.empty() || own_session.has_value(); }
  std::string_view id_of(ProductNumber product_number) const {
    const Product* const known = catalog->find(product_number);  // needs no lock
    return known != nullptr ? std::string_view(known->product_id) : numbers.id_of(product_number);
  }
  // For people: the title, or the id of a product without one.
  std::string_view title_of(ProductNumber product_number) const {
    const Product* const known = catalog->find(product_number);
    return known != nullptr && !known->title.empty() ? std::string_view(known->title)
                                                     : numbers.id_of(product_number);
  }
};

// What a context refers to: a thread's memory between two requests.
struct ContextMemory {
  ProductMarks marks;
  TasteSearches tastes;
  std::vector<Interest> interests;
  std::vector<ProductNumber> cart;
  std::vector<ProductNumber> session;
  std::vector<std::string_view> page_groups;
};

// What the request and the placement together ask for.
AssortmentScope scope_of(const RecommendRequest& request, const Placement& placement);

// Marks what the request and the placement keep out, and `on_page`: what the same page shows
// already. Valid until the next call with the same memory.
Context make_context(const Recommender::Parts& parts, const Snapshot& snapshot,
                     const RecommendRequest& request, const Placement& placement,
                     ContextMemory& memory, std::span<const ProductNumber> on_page = {});

}  // namespace vitrine::recommend
