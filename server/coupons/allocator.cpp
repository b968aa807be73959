#include "server/coupons/allocator.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "base/status.h"
#include "server/coupons/coupon_person.h"
#include "server/segments/all_members.h"
#include "server/segments/person.h"

namespace vitrine::coupons {
namespace {

using segments::Membership;
using training::Assignment;
using training::ProspectOption;

constexpr std::size_t k_between_looks = 256;  // people, from one word about progress to the next
constexpr double k_share_of_asking = 0.9;     // of all work; the rest is the allocation itself
// How far chance moves a value, as a part of it. For one offer value by cost is the same for
// everybody, so a price alone would tell nobody from anybody where a budget is short: who gets it
// would be an accident, and nobody of the holdout a ghost.
constexpr double k_tie_share = 1e-3;

std::string usual_currency(const std::vector<Terms>& offers) {
  std::map<std::string, std::size_t> counts;
  std::string most;
  for (const Terms& terms : offers) {
    for (const auto& [market, amounts] : terms.offer->amounts) {
      const std::size_t count = ++counts[amounts.currency];
      if (most.empty() || count > counts[most]) most = amounts.currency;
    }
  }
  return most;
}

absl::StatusOr<std::vector<Terms>> asked_offers(const OfferBook& book,
                                                const AllocationQuestion& question) {
  std::vector<Terms> offers = {};
  for (const auto& [id, offer] : book.offers()) {
    if (offer->campaign != question.campaign) continue;
    const bool is_named = std::ranges::find(question.offers, id) != question.offers.end();
    if (is_named && offer->trigger != Trigger::granted) {
      return invalid_argument("offers names {} with the trigger {}: granted ones are allocated", id,
                              name_of(offer->trigger));
    }
    if (offer->trigger != Trigger::granted || (!is_named && !question.offers.empty())) continue;
    offers.push_back(book.terms(id));
  }
  for (const std::string& id : question.offers) {
    if (std::ranges::none_of(offers, [&](const Terms& one) { return one.offer->id == id; })) {
      return invalid_argument("offers names {}, which is no offer of campaign {}", id,
                              question.campaign);
    }
  }
  if (offers.size() > Allocator::k_offers_max) {
    return invalid_argument("offers are {} of campaign {}, at most {} are allocated at once",
                            offers.size(), question.campaign, Allocator::k_offers_max);
  }
  return offers;
}

// Those that can be given now.
struct Selected {
  std::shared_ptr<const Campaign> campaign = {};
  std::string currency = {};
  std::vector<Terms> offers = {};
  std::vector<CampaignAllocation::LeftOut> left_out = {};
};

absl::StatusOr<Selected> select(const Desk& desk, const AllocationQuestion& question) {
  const std::shared_ptr<const OfferBook> book = desk.offers();
  Selected selected{.campaign = book->campaign(question.campaign)};
  if (!selected.campaign) return not_found("there is no campaign {}", question.campaign);
  VITRINE_ASSIGN_OR_RETURN(const std::vector<Terms> asked, asked_offers(*book, question));
  selected.currency = question.currency.empty() ? usual_currency(asked) : question.currency;
  std::string why;
  for (const Terms& terms : asked) {
    std::optional<Reason> refused = desk.refusal_of_grants(terms);
    const bool has_amounts = terms.offer->amounts_in(question.market, selected.currency) != nullptr;
    if (!refused && !has_amounts) refused = Reason::market;
    if (!refused) {
      selected.offers.push_back(terms);
      continue;
    }
    why += fmt::format("; {} is refused for {}", terms.offer->id, name_of(*refused));
    selected.left_out.push_back({.offer = terms.offer->id, .reason = *refused});
  }
  if (selected.offers.empty()) {
    return failed_precondition("campaign {} has no granted offer that can be given now{}",
                               question.campaign, why);
  }
  return selected;
}

bool asks_about_person(const Conditions& asked) {
  return asked.first_order || asked.new_customer_days > 0 || !asked.levels.empty();
}

bool fits(const Conditions& asked, const Shopper& shopper, TimeMs now_ms) {
  const bool fits_level =
      asked.levels.empty() || std::ranges::find(asked.levels, shopper.level) != asked.levels.end();
  const bool is_old = shopper.first_order_ms != 0 &&
                      now_ms - shopper.first_order_ms > asked.new_customer_days * k_day_ms;
  return fits_level && !(asked.new_customer_days > 0 && is_old) &&
         !(asked.first_order && shopper.orders > 0);
}

}  // namespace

class Allocator::Work {
 public:
  Work(const Parts& parts, const AllocationQuestion& question, Selected selected)
      : parts_(parts),
        question_(question),
        offers_(std::move(selected.offers)),
        campaign_(std::move(selected.campaign)),
        now_ms_(parts.people.clock.now_ms()) {
    out_.currency = std::move(selected.currency);
    out_.left_out = std::move(selected.left_out);
  }

  absl::Status prepare();
  absl::StatusOr<Membership> people() const;
  absl::Status ask(const Membership& people, const Progress& progress);
  absl::StatusOr<CampaignAllocation> allocate();

 private:
  absl::Status consider(UserNumber user);
  Shopper shopper_of(UserNumber user, const profiles::Profile& profile) const;
  absl::Status add_options(UserNumber user, std::shared_ptr<const profiles::Profile> profile,
                           const Shopper& shopper);
  double held_by(const Offer& offer, const Amounts& amounts) const;
  void make_plans();

  const Parts& parts_;
  const AllocationQuestion& question_;
  const std::vector<Terms> offers_;
  const std::shared_ptr<const Campaign> campaign_;
  const TimeMs now_ms_;
  CampaignAllocation out_;
  std::shared_ptr<const CouponShelf> shelf_;
  segments::Surroundings around_;
  bool asks_about_people_ = false;
  std::optional<training::AllocationBatch> batch_;
  std::vector<UserNumber> users_;  // in the order of the batch, which ascends
  std::vector<double> lucks_;      // likewise, in [-1/2, 1/2)
  std::vector<ProspectOption> options_;
};

absl::Status Allocator::Work::prepare() {
  parts_.recommender.refresh();
  shelf_ = parts_.recommender.shelf();
  for (const Terms& terms : offers_) {
    out_.offers.push_back(terms.offer->id);
    asks_about_people_ = asks_about_people_ || asks_about_person(terms.offer->conditions);
  }
  if (asks_about_people_) around_ = parts_.segments.surroundings();
  VITRINE_ASSIGN_OR_RETURN(out_.budgets,
                           CampaignBudgets::read(parts_.desk, offers_, out_.currency));
  if (parts_.uplift != nullptr) {
    VITRINE_ASSIGN_OR_RETURN(out_.uplift, parts_.uplift->learn(campaign_->id, out_.currency));
  }
  out_.policy = out_.uplift.fit ? k_uplift_policy : k_affinity_policy;
  std::vector<double> left;
  left.reserve(out_.budgets.budgets.size());
  for (const CampaignBudgets::Budget& budget : out_.budgets.budgets) left.push_back(budget.left);
  batch_.emplace(std::move(left), out_.budgets.of_offer);
  return absl::OkStatus();
}

absl::StatusOr<Membership> Allocator::Work::people() const {
  Membership people;
  if (!question_.segment.empty()) {
    VITRINE_ASSIGN_OR_RETURN(people, segments::all_members(parts_.segments, question_.segment));
  } else if (!campaign_->is_meant) {
    VITRINE_RETURN_IF_ERROR(
        parts_.people.profiles.walk([&](UserNumber user, const profiles::Profile&) {
          if (parts_.people.identities.is_user(user)) people.set(user, true);
          return true;
        }));
  }
  if (campaign_->is_meant) {
    VITRINE_ASSIGN_OR_RETURN(Membership meant,
                             parts_.segments.members_now(*campaign_->is_meant, false));
    if (question_.segment.empty()) return meant;
    for (const UserNumber user : people.list(k_nobody, people.size())) {
      if (!meant.contains(user)) people.set(user, false);
    }
  }
  return people;
}

absl::Status Allocator::Work::ask(const Membership& people, const Progress& progress) {
  if (people.size() > parts_.people_max) {
    return failed_precondition("{} people are asked about, at most {} may be: name a segment",
                               people.size(), parts_.people_max);
  }
  for (const UserNumber user : people.list(k_nobody, people.size())) {
    if (out_.people % k_between_looks == 0) {
      const double share = static_cast<double>(out_.people) / static_cast<double>(people.size());
      VITRINE_RETURN_IF_ERROR(progress(k_share_of_asking * share));
    }
    ++out_.people;
    VITRINE_RETURN_IF_ERROR(consider(user));
  }
  return progress(k_share_of_asking);
}

absl::Status Allocator::Work::consider(UserNumber user) {
  const identity::IdentityBook& identities = parts_.people.identities;
  VITRINE_ASSIGN_OR_RETURN(const auto known, identities.person(user));
  if (!known || known->erased_ms != 0 || !identities.is_user(user)) {
    ++out_.gone;
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const bool had_it,
                           parts_.desk.was_decided(out_.offers, question_.round, user));
  if (had_it || parts_.desk.new_coupons_of(user) >= parts_.desk.rules().new_per_week) {
    ++(had_it ? out_.had_it : out_.fatigue);
    return absl::OkStatus();
  }
  static const profiles::Profile nobody;
  auto profile = parts_.people.profiles.find(user);
  const Shopper shopper =
      asks_about_people_ ? shopper_of(user, profile ? *profile : nobody) : Shopper{.user = user};
  if (known->refuses_personalization) profile.reset();
  return add_options(user, std::move(profile), shopper);
}

Shopper Allocator::Work::shopper_of(UserNumber user, const profiles::Profile& profile) const {
  Shopper shopper{.user = user};
  const auto orders = profiles::orders_of(profile);
  for (const profiles::OrderSum& order : orders) shopper.orders += order.count;
  if (!orders.empty()) shopper.first_order_ms = orders.front().time_ms;
  const segments::PersonSubject person(user, false, profile, now_ms_, around_);
  shopper.level = person.level().name;
  return shopper;
}

// What a grant takes from the budget at once; 0: what is used, when it is used.
double Allocator::Work::held_by(const Offer& offer, const Amounts& amounts) const {
  const std::optional<Money> most = most_off(offer.effect, amounts);
  if (!offer.is_honoured || !most) return 0;
  return static_cast<double>(most->minor) / std::pow(10.0, currency_digits(amounts.currency));
}

absl::Status Allocator::Work::add_options(UserNumber user,
                                          std::shared_ptr<const profiles::Profile> profile,
                                          const Shopper& shopper) {
  static const profiles::Profile nobody;
  UpliftPerson person;
  if (out_.uplift.fit) {
    VITRINE_ASSIGN_OR_RETURN(const std::vector<TimeMs> redeemed, parts_.desk.redeemed_at(user));
    person = uplift_person(profile ? *profile : nobody, redeemed, out_.currency, now_ms_);
  }
  const KnownPerson known(std::move(profile), shelf_->inputs().live.get(), now_ms_);
  const std::vector<CouponScore> scores = score_coupons(*shelf_, known.seen());
  const UserNumber first = person_of(parts_.people.identities, user);
  const double luck =
      training::place_of(first.value(), "ties:" + campaign_->id + "/" + question_.round) - 0.5;
  options_.clear();
  for (std::size_t place = 0; place < offers_.size(); ++place) {
    const Offer& offer = *offers_[place].offer;
    if (!fits(offer.conditions, shopper, now_ms_)) continue;
    const Amounts* const amounts = offer.amounts_in(question_.market, out_.currency);
    const CouponPromise promise = promise_of(*shelf_, offer, amounts, scores);
    ProspectOption option{.offer = static_cast<std::uint32_t>(place),
                          .chance = promise.score.chance,
                          .value = promise.value(),
                          .cost = std::max(promise.cost(), held_by(offer, *amounts))};
    if (out_.uplift.fit) {
      option.value =
          out_.uplift.fit->model.effect(out_.uplift.row_of(person, offer.id, promise.value()));
    }
    option.value *= 1 + k_tie_share * luck * (option.value < 0 ? -1 : 1);
    options_.push_back(option);
  }
  const Assignment assignment = assignment_of(first, *campaign_, parts_.desk.rules(), now_ms_);
  out_.offered += assignment == Assignment::offered ? 1 : 0;
  out_.holdout += assignment == Assignment::holdout ? 1 : 0;
  out_.control_group += assignment == Assignment::universal_control ? 1 : 0;
  ++out_.considered;
  batch_->add(assignment == Assignment::offered, options_);
  users_.push_back(user);
  lucks_.push_back(luck);
  return absl::OkStatus();
}

void Allocator::Work::make_plans() {
  std::vector<GrantJobs::Plan> plans(out_.offers.size());
  for (const training::BatchAllocation::Choice& choice : out_.batch.choices) {
    GrantJobs::Plan& plan = plans[choice.option.offer];
    plan.people.set(users_[choice.person], true);
    const double luck = lucks_[choice.person] * (choice.option.value < 0 ? -1 : 1);
    plan.scores.push_back(static_cast<float>(choice.option.value / (1 + k_tie_share * luck)));
  }
  for (std::size_t place = 0; place < plans.size(); ++place) {
    if (plans[place].scores.empty()) continue;
    plans[place].offer = out_.offers[place];
    plans[place].policy = out_.policy;
    out_.plans.push_back(std::move(plans[place]));
  }
}

absl::StatusOr<CampaignAllocation> Allocator::Work::allocate() {
  VITRINE_ASSIGN_OR_RETURN(out_.batch, batch_->allocate());
  make_plans();
  return std::move(out_);
}

absl::Status Allocator::check(const AllocationQuestion& question) const {
  VITRINE_RETURN_IF_ERROR(select(parts_.desk, question).status());
  if (question.segment.empty()) return absl::OkStatus();
  return segments::check_built(parts_.segments, question.segment);
}

absl::StatusOr<CampaignAllocation> Allocator::allocate(const AllocationQuestion& question,
                                                       const Progress& progress) const {
  VITRINE_ASSIGN_OR_RETURN(Selected selected, select(parts_.desk, question));
  Work work(parts_, question, std::move(selected));
  VITRINE_RETURN_IF_ERROR(work.prepare());
  VITRINE_ASSIGN_OR_RETURN(const Membership people, work.people());
  VITRINE_RETURN_IF_ERROR(work.ask(people, progress));
  return work.allocate();
}

}  // namespace vitrine::coupons
