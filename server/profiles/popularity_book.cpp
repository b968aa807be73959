#include "server/profiles/popularity_book.h"

#include <absl/container/btree_set.h>
#include <absl/container/flat_hash_map.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <utility>

#include "model/event.h"
#include "server/profiles/fixed_hash.h"

namespace vitrine::profiles {
namespace {

constexpr double k_popular_half_life_ms = 30.0 * k_day_ms;
constexpr double k_trending_half_life_ms = 3.0 * k_day_ms;

// Decayed counts, always in order. All counts halve together as time passes, so an order never
// changes by itself: what is kept is log2(count at t) + t / half-life, the same number at any t.
class DecayedRanking {
 public:
  DecayedRanking(double half_life_ms, const catalog::ProductNumbers& numbers)
      : half_life_ms_(half_life_ms), order_(Before{&numbers}) {}

  void add(ProductNumber product, double weight, TimeMs time_ms) {
    const double added = std::log2(weight) + static_cast<double>(time_ms) / half_life_ms_;
    const auto [place, is_new] = levels_.try_emplace(product, added);
    if (!is_new) {
      order_.erase({place->second, product});
      const double high = std::max(place->second, added);
      place->second = high + std::log2(1 + std::exp2(std::min(place->second, added) - high));
    }
    order_.insert({place->second, product});
    list_ = nullptr;
  }

  // Built by the first who asks after a change.
  std::shared_ptr<const std::vector<PopularProduct>> list() {
    if (list_ == nullptr) {
      auto list = std::make_shared<std::vector<PopularProduct>>();
      list->reserve(std::min(order_.size(), PopularityBook::k_top_max));
      for (const Level& level : order_) {
        if (list->size() == PopularityBook::k_top_max) break;
        list->push_back({level.product, std::exp2(level.log2_count - order_.begin()->log2_count)});
      }
      list_ = std::move(list);
    }
    return list_;
  }

 private:
  struct Level {
    double log2_count;  // as of time 0
    ProductNumber product;
  };
  struct Before {
    const catalog::ProductNumbers* numbers;
    bool operator()(const Level& a, const Level& b) const {
      if (a.log2_count != b.log2_count) return a.log2_count > b.log2_count;
      return a.product != b.product && numbers->id_of(a.product) < numbers->id_of(b.product);
    }
  };

  double half_life_ms_;
  absl::flat_hash_map<ProductNumber, double> levels_;
  absl::btree_set<Level, Before> order_;
  std::shared_ptr<const std::vector<PopularProduct>> list_;
};

// The strongest thing each person did with each product, for the latest days.
class DailyDeeds {
 public:
  // How much `weight` adds to what the person already counted for on that day.
  double gain(std::uint64_t person, ProductNumber product, TimeMs time_ms, double weight) {
    double& counted = days_[time_ms / k_day_ms][{person, product}];
    const double gained = std::max(0.0, weight - counted);
    counted += gained;
    if (days_.size() > PopularityBook::k_days_kept) days_.erase(days_.begin());
    return gained;
  }

 private:
  using Deeds = absl::flat_hash_map<std::pair<std::uint64_t, ProductNumber>, double>;
  std::map<TimeMs, Deeds> days_;
};

// Whom an event counts for: the person, else the order, else the event alone.
std::uint64_t person_of(const LogEntry& entry, const Event& event) {
  if (entry.user != k_nobody) return entry.user.value();
  if (!event.order_id.empty()) return fixed_hash("order", event.order_id);
  return fixed_hash(entry.source, event.event_id);
}

}  // namespace

struct PopularityBook::State {
  explicit State(catalog::ProductNumbers& numbers_in)
      : numbers(numbers_in),
        popular(k_popular_half_life_ms, numbers_in),
        trending(k_trending_half_life_ms, numbers_in) {}

  catalog::ProductNumbers& numbers;
  std::atomic<Position> position{0};
  DailyDeeds deeds;  // the committer thread's own

  std::mutex mutex;  // of the two rankings
  DecayedRanking popular;
  DecayedRanking trending;
};

PopularityBook::PopularityBook(catalog::ProductNumbers& numbers)
    : state_(std::make_unique<State>(numbers)) {}
PopularityBook::~PopularityBook() = default;

std::shared_ptr<const std::vector<PopularProduct>> PopularityBook::popular() const {
  const std::lock_guard lock(state_->mutex);
  return state_->popular.list();
}

std::shared_ptr<const std::vector<PopularProduct>> PopularityBook::trending() const {
  const std::lock_guard lock(state_->mutex);
  return state_->trending.list();
}

Position PopularityBook::position() const { return state_->position.load(); }

void PopularityBook::apply(const LogEntry& entry) {
  if (entry.position <= state_->position.load()) return;
  const Event* const event = entry.event();
  if (event != nullptr && !event->product_id.empty() && default_weight(event->type) > 0) {
    const ProductNumber product = state_->numbers.number_of(event->product_id);
    const double gained = state_->deeds.gain(person_of(entry, *event), product, event->time_ms,
                                             default_weight(event->type));
    if (gained > 0) {
      const std::lock_guard lock(state_->mutex);
      state_->popular.add(product, gained, event->time_ms);
      state_->trending.add(product, gained, event->time_ms);
    }
  }
  state_->position.store(entry.position);
}

}  // namespace vitrine::profiles
