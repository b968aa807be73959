// The answer to "what should this person see here": candidates, one filter stage, ranking, fill,
// reasons.
//
// Thread-safe: everything read is an immutable snapshot or a book with its own lock; a call takes
// the live model once.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/literal.h"
#include "base/metrics.h"
#include "base/published.h"
#include "model/ids.h"
#include "server/catalog/catalog.h"
#include "server/identity/identity_book.h"
#include "server/live_model/live_model.h"
#include "server/profiles/popularity_book.h"
#include "server/profiles/profile_book.h"
#include "server/profiles/session_book.h"
#include "server/recommend/assortment.h"
#include "server/recommend/chance.h"
#include "server/recommend/pace.h"
#include "server/recommend/placement_book.h"

namespace vitrine::segments {
class SurroundingsSource;
}  // namespace vitrine::segments

namespace vitrine::recommend {

struct Context;
struct Snapshot;
struct Plans;    // the placements with their sources looked up
struct Scratch;  // a thread's memory of one answer

// What may be spent on an answer. Under load there is less for each.
enum class Effort {
  whole,
  lookups,   // no source that searches
  fallback,  // no source of the placement at all
};

struct RecommendRequest {
  std::string placement = "home";
  std::string user_id = {};
  UserNumber known_user = k_nobody;  // who it is, where that is known: no id is looked up then
  std::string visitor_id = {};
  std::string session_id = {};
  std::string product_id = {};         // the product looked at
  std::vector<std::string> cart = {};  // product ids
  std::string order_id = {};           // for order_done
  std::string category = {};           // only products of this category path
  std::string market = {};
  // For expressions alone, as the shop says.
  std::string channel = {}, device = {}, country = {}, query = {};
  int utc_offset_minutes = 0;  // likewise; within Situation::k_utc_offset_minutes_max
  std::vector<std::string> exclude = {};
  ProductCondition filter = {};   // products that do not hold it are not shown
  std::vector<Rule> boosts = {};  // boosts and buries for this request, no pins
  std::size_t limit = 12;         // 1 .. k_limit_max
  std::int64_t arrived_us = 0;  // of Parts::steady: its deadline counts from here; 0: from the call
  Effort effort = Effort::whole;
  bool personalize = true;
  // False: the user id is only claimed, and the answer rests on what the visitor did itself.
  bool is_verified = true;
  bool explore = true;  // false: no place is drawn by chance, whatever the placement says
  bool explain = false;
};

// Why a product is shown, in a form a shop can turn into words; `text` is an English sentence for
// it.
struct Reason {
  // "because_you_viewed", "because_you_bought", "bought_together", "similar", "popular",
  // "trending", "recent", ...
  Literal kind;
  std::string product_id;  // the product it refers to, if any
  std::string text;        // "Because you looked at REGENCY CAKESTAND 3 TIER"
};

struct RecommendedProduct {
  ProductNumber number;
  // Null when the catalog does not know it (then only its id is known). The answer keeps it alive.
  const Product* product = nullptr;
  std::string product_id;
  float score = 0;
  std::string_view source;  // the candidate source's name, of static storage
  Reason reason;
  std::vector<std::pair<std::string_view, float>> source_scores;  // with explain
  std::vector<std::string> rules;    // with explain: the ids of those that moved it, in their order
  std::optional<double> propensity;  // of a place drawn by chance: how likely it was this product
};

struct Removed {
  std::string_view stage;  // "out_of_stock", "hidden", "excluded", "purchased", "category",
                           // "market", "unavailable", "filter", "in_cart", "current_product",
                           // "variant", "category_cap", "brand_cap", "on_page",
                           // "not_in_catalog"
  std::size_t count = 0;
};

struct RecommendAnswer {
  std::string recommendation_id;
  TimeMs time_ms = 0;
  UserNumber user;  // k_nobody for somebody unknown, or not to be known
  std::string placement;
  std::uint64_t placement_version = 0;
  std::string model_version;  // empty while there is no model
  bool personalized = false;  // something known about the person had a say
  bool in_audience = true;    // false: the placement is for others, and nothing is shown
  std::shared_ptr<const catalog::CatalogSnapshot> catalog;  // that `products` point into
  std::vector<RecommendedProduct> products;
  std::vector<Removed> removed;  // what each filter took away of all that was looked at
  std::int64_t total_us = 0, profile_us = 0, candidates_us = 0, rank_us = 0;
};

// A list the shop has already, in the order a placement would show it.
struct Ranking {
  RecommendAnswer answer;            // first what a source had a word on, then the rest as it came
  std::vector<std::string> unknown;  // nobody ever named these: they go last, as they came
  // What may not be shown, and the filter that says so.
  std::vector<std::pair<std::string, std::string_view>> removed;
};

// What became of one product on its way into an answer.
struct WhyNot {
  std::size_t position = 0;  // from 1, when it is shown; 0 when it is not
  // What kept it out: a name as in Removed, "audience", "unknown_product" (nobody ever named it),
  // "no_candidate" (no source gave it) or "score" (others were better). Empty when it is shown.
  std::string_view stage;
  bool is_candidate = false;  // a source gave it and no filter took it
  float score = 0;            // as a candidate
  std::vector<std::pair<std::string_view, float>> source_scores;
  RecommendAnswer answer;  // the one it is not in
};

// Every candidate of a request with what a blend is told about it, see append_blend_inputs().
struct Candidates {
  std::vector<ProductNumber> products;
  std::vector<float> inputs;  // products x blend_input_count()
};

class Recommender {
 public:
  static constexpr std::size_t k_limit_max = 200;
  static constexpr std::size_t k_list_max = 1000;  // entries of cart, of exclude, of a ranking
  static constexpr std::size_t k_page_max = 12;    // placements of one page

  struct Parts {  // all outlive the recommender
    const identity::IdentityBook& identities;
    const profiles::ProfileBook& profiles;
    const profiles::PopularityBook& popularity;
    const profiles::SessionBook& sessions;
    const catalog::Catalog& catalog;
    const live_model::LiveModelSource& live_model;
    const Clock& clock;
    Metrics& metrics;
    // What people are seen against where expressions speak of them; null: nobody is in a segment
    // or has scores.
    const segments::SurroundingsSource* surroundings = nullptr;
    std::uint64_t chance_seed = 1;  // of what is drawn by chance
    // After so long from its arrival a request is answered with what is there: searches that would
    // end later are left out, then every source, and the fallback fills up. 1 .. 60,000.
    TimeMs deadline_ms = 100;
    // Microseconds, of which deadlines are made.
    std::function<std::int64_t()> steady = steady_us;
  };
  // Precondition, checked: the placements pass validate().
  Recommender(const Parts& parts, PlacementBook placements);
  ~Recommender();
  Recommender(const Recommender&) = delete;
  Recommender& operator=(const Recommender&) = delete;

  // Errors: NotFound for an unknown placement (the message lists those there are); InvalidArgument
  // for a limit or list out of range, or a placement that needs a product or cart it was not given.
  // An unknown person is a new person. With personalize = false nothing known about the person is
  // read, not even who they are.
  absl::StatusOr<RecommendAnswer> recommend(const RecommendRequest& request) const;

  // The answers to requests that came at the same time, of one person or several, in their order:
  // each as recommend() gives it, but searches share passes over the index.
  std::vector<absl::StatusOr<RecommendAnswer>> recommend_together(
      std::span<const RecommendRequest> requests) const;

  // The answers of one page, in the order of the requests, which are by one person: nothing that an
  // earlier one shows, nor a variant of it, is in a later one. What is known is read once, for the
  // first. Errors as above, the message beginning with "placements[i]: "; no request is one too.
  absl::StatusOr<std::vector<RecommendAnswer>> recommend_page(
      std::span<const RecommendRequest> requests) const;

  // At most k_list_max products, each named once; `request.limit`, `filter` and the exclusions of
  // the placement are left aside. Errors as above.
  absl::StatusOr<Ranking> rank(const RecommendRequest& request,
                               std::span<const std::string> products) const;

  // Makes the answer as recommend() would and says what became of `product_id`. Errors as above.
  absl::StatusOr<WhyNot> why_not(const RecommendRequest& request,
                                 std::string_view product_id) const;
  // What a blend is learnt from: what recommend() would choose among. Errors as above.
  absl::StatusOr<Candidates> candidates(const RecommendRequest& request) const;

  // Makes what filters are asked of, so that no request waits for it; seconds in a large shop.
  void prepare() const;

  std::shared_ptr<const PlacementBook> placements() const;
  // From the next answer on. Precondition, checked: the placements pass validate().
  void use(PlacementBook placements);

 private:
  // Valid until the next one with the same memory.
  Context context_for(const Snapshot& snapshot, const RecommendRequest& request,
                      const Placement& placement, Scratch& memory,
                      std::span<const ProductNumber> on_page = {}) const;
  // Appends the answers to at most Scratch::k_places requests.
  void answer_some(const Plans& plans, std::span<const RecommendRequest> requests,
                   std::vector<absl::StatusOr<RecommendAnswer>>& answers) const;

  Parts parts_;
  mutable SourcePaces paces_;  // thread-safe
  Published<Plans> plans_;
  mutable Chance chance_;               // thread-safe
  mutable AssortmentBook assortments_;  // thread-safe; a memory of answers, not a state
};

}  // namespace vitrine::recommend
