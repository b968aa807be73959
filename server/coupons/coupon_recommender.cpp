#include "server/coupons/coupon_recommender.h"

#include <absl/container/flat_hash_map.h>
#include <pthread.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>
#include <utility>

#include "base/crypto.h"
#include "base/status.h"
#include "server/coupons/coupon_person.h"
#include "server/coupons/coupon_shortlist.h"
#include "server/recommend/context.h"

namespace vitrine::coupons {
namespace {

constexpr TimeMs k_rest_for_each = 20;  // of the time that looking up covers took
constexpr int k_nice = 10;              // of the thread that makes shelves
// Before that, a coupon that was given says nothing of how often such coupons are used.
constexpr TimeMs k_ripe_ms = 7 * k_day_ms;

// What can be claimed in one book, and the currency of most of its offers.
struct Claimable {
  std::shared_ptr<const OfferBook> book;
  std::vector<Terms> terms;
  std::string currency;
};

std::shared_ptr<const Claimable> claimable_of(std::shared_ptr<const OfferBook> book) {
  auto claimable = std::make_shared<Claimable>();
  std::map<std::string, std::size_t> currencies;
  std::size_t most = 0;
  for (const auto& [id, offer] : book->offers()) {
    const Terms terms = book->terms(id);
    for (const auto& [market, amounts] : offer->amounts) {
      const std::size_t count = ++currencies[amounts.currency];
      if (count <= most) continue;
      most = count;
      claimable->currency = amounts.currency;
    }
    if (offer->trigger == Trigger::claimed && terms.campaign) claimable->terms.push_back(terms);
  }
  claimable->book = std::move(book);
  return claimable;
}

}  // namespace

struct CouponRecommender::State {
  State(const Parts& parts_in, const Options& options_in)
      : parts(parts_in),
        options(options_in),
        chance(parts.people.chance_seed),
        claimable(std::make_shared<const Claimable>()),
        shelf(std::make_shared<const CouponShelf>()) {}

  // Of the book of now; a new book costs a walk over its offers once.
  std::shared_ptr<const Claimable> claimable_now() {
    const std::shared_ptr<const OfferBook> book = parts.desk.offers();
    std::shared_ptr<const Claimable> known = claimable.current();
    if (known->book != book) claimable.publish(known = claimable_of(book));
    return known;
  }
  CouponCounts counts_of(const std::string& offer) const;
  void count_shown(TimeMs now_ms);
  bool refresh();
  void run();

  const Parts parts;
  const Options options;
  recommend::Chance chance;
  Published<Claimable> claimable;
  Published<CouponShelf> shelf;

  // Of whoever calls refresh().
  std::mutex refreshing;
  absl::flat_hash_map<std::string, std::uint64_t> shown;
  absl::flat_hash_map<std::string, std::uint64_t> unripe;  // grants
  TimeMs counted_at_ms = 0;
  std::shared_ptr<const catalog::CatalogSnapshot> covered;  // what covers were looked up in
  TimeMs covered_at_ms = 0;
  TimeMs cover_took_ms = 0;

  std::mutex mutex;
  std::condition_variable changed;
  bool is_stopping = false;
  std::thread thread;
};

void CouponRecommender::State::count_shown(TimeMs now_ms) {
  shown.clear();
  unripe.clear();
  std::size_t seen = 0;
  const absl::Status walked = parts.decisions.for_each(
      {.from_ms = now_ms - options.counted_ms}, [&](const CouponDecision& decision) {
        if (++seen > options.counted_max) return;
        if (decision.outcome == DecisionOutcome::shown) ++shown[decision.offer];
        const bool is_ripe = decision.time_ms <= now_ms - k_ripe_ms;
        if (decision.outcome == DecisionOutcome::granted && !is_ripe) ++unripe[decision.offer];
      });
  if (!walked.ok()) {
    parts.log.warning("showings of coupons cannot be counted: {}", message_of(walked));
  }
}

CouponCounts CouponRecommender::State::counts_of(const std::string& offer) const {
  CouponCounts counts;
  if (const auto found = shown.find(offer); found != shown.end()) counts.shown = found->second;
  const auto count_of = [&](Measure measure) {
    const auto balance = parts.desk.balance(total_account("offer", offer, measure, ""));
    return balance.ok() ? static_cast<std::uint64_t>(std::max<std::int64_t>(0, balance->committed))
                        : std::uint64_t{0};
  };
  counts.uses = count_of(Measure::uses);
  // Whoever was given one was shown it, too.
  const auto young = unripe.find(offer);
  const std::uint64_t issued = count_of(Measure::issued);
  const std::uint64_t waiting = young == unripe.end() ? 0 : std::min(issued, young->second);
  counts.shown = std::max(counts.shown, issued - waiting);
  return counts;
}

bool CouponRecommender::State::refresh() {
  const std::lock_guard lock(refreshing);
  const TimeMs now_ms = parts.people.clock.now_ms();
  const std::shared_ptr<const CouponShelf> former = shelf.current();
  CouponShelf::Inputs inputs{.book = parts.desk.offers(),
                             .numbers = &parts.people.catalog.numbers(),
                             .catalog = parts.people.catalog.current(),
                             .live = parts.people.live_model.current(),
                             .popular = parts.people.popularity.popular(),
                             .now_ms = now_ms,
                             .counts = [this](const std::string& id) { return counts_of(id); }};
  const CouponShelf::Inputs& before = former->inputs();
  const bool is_same = before.book == inputs.book && before.live == inputs.live;
  // What takes long to look up is looked up the less often.
  const TimeMs covers_for_ms = std::max(options.catalog_ms, k_rest_for_each * cover_took_ms);
  const bool is_covered =
      covered == inputs.catalog || (covered && now_ms - covered_at_ms < covers_for_ms);
  const bool is_counted = now_ms - counted_at_ms < options.counts_ms;
  if (is_same && is_covered && is_counted) return false;
  if (!is_counted) {
    count_shown(now_ms);
    counted_at_ms = now_ms;
  }
  const std::int64_t began_us = steady_us();
  shelf.publish(CouponShelf::build(inputs, is_covered ? former.get() : nullptr));
  if (!is_covered) {
    covered = inputs.catalog;
    covered_at_ms = now_ms;
    cover_took_ms = (steady_us() - began_us) / 1000;
  }
  return true;
}

void CouponRecommender::State::run() {
  ::pthread_setname_np(::pthread_self(), "coupons");
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), k_nice);
  std::unique_lock lock(mutex);
  while (!is_stopping) {
    lock.unlock();
    refresh();
    lock.lock();
    changed.wait_for(lock, std::chrono::milliseconds(options.poll_ms), [&] { return is_stopping; });
  }
}

CouponRecommender::CouponRecommender(const Parts& parts, const Options& options)
    : state_(std::make_unique<State>(parts, options)) {}

CouponRecommender::~CouponRecommender() { stop(); }

void CouponRecommender::start() {
  state_->thread = std::thread([this] { state_->run(); });
}

void CouponRecommender::stop() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->is_stopping = true;
  }
  state_->changed.notify_all();
  if (state_->thread.joinable()) state_->thread.join();
}

bool CouponRecommender::refresh() { return state_->refresh(); }

std::shared_ptr<const CouponShelf> CouponRecommender::shelf() const {
  return state_->shelf.current();
}

absl::StatusOr<CouponAnswer> CouponRecommender::recommend(const CouponRequest& request) const {
  if (request.limit < 1 || request.limit > k_limit_max) {
    return invalid_argument("limit must be from 1 to {}, got {}", k_limit_max, request.limit);
  }
  State& state = *state_;
  const std::shared_ptr<const CouponShelf> shelf = state.shelf.current();
  const std::shared_ptr<const Claimable> claimable = state.claimable_now();
  const recommend::Snapshot snapshot =
      take_snapshot(state.parts.people, {.user_id = request.checkout.user_id,
                                         .visitor_id = request.visitor_id,
                                         .personalize = request.personalize,
                                         .is_verified = request.is_verified});
  Checkout checkout = request.checkout;
  if (!request.is_verified) checkout.shopper.user = k_nobody;
  if (checkout.cart.currency.empty()) checkout.cart.currency = claimable->currency;

  const std::shared_ptr<const live_model::LiveModel>& live = shelf->inputs().live;
  const KnownPerson person(snapshot.profile, live.get(), snapshot.now_ms);
  // Whose coupons they are counts for groups, also where their taste may not.
  const UserNumber user =
      checkout.shopper.user != k_nobody ? checkout.shopper.user : snapshot.who.user;
  CouponShortlist shortlist({.desk = state.parts.desk,
                             .identities = state.parts.people.identities,
                             .shelf = *shelf,
                             .exploration = state.options.exploration,
                             .user = user,
                             .now_ms = snapshot.now_ms},
                            checkout);
  VITRINE_RETURN_IF_ERROR(shortlist.fill(claimable->terms, person.seen()));
  const std::uint64_t drawn = state.chance.below(std::uint64_t{1} << 53U);
  const std::optional<double> chance =
      request.explore ? std::optional(static_cast<double>(drawn) * 0x1.0p-53) : std::nullopt;
  const std::string id = make_ulid(snapshot.now_ms);
  VITRINE_ASSIGN_OR_RETURN(CouponShortlist::Result result,
                           shortlist.decide(id, request.limit, chance));
  for (CouponDecision& decision : result.decisions) {
    decision.policy = k_policy;
    decision.policy_version = k_policy_version;
    state.parts.decisions.record(state.parts.committer, std::move(decision));
  }
  return CouponAnswer{.recommendation_id = id,
                      .model_version = live != nullptr ? live->version() : std::string(),
                      .personalized = person.is_personal(),
                      .coupons = std::move(result.coupons)};
}

}  // namespace vitrine::coupons
