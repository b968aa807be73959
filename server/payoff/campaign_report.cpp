#include "server/payoff/campaign_report.h"

#include <algorithm>
#include <set>

#include "base/status.h"
#include "server/coupons/accounts.h"
#include "server/payoff/sightings.h"

namespace vitrine::payoff {
namespace {

// Of this many profiles one is looked for sooner than all are walked through.
constexpr std::size_t k_walk_rather_than_find = 20;

using coupons::Measure;
using training::Assignment;

// Those of the campaign, and those that were and are gone.
std::set<std::string> offers_of(const coupons::OfferBook& book, std::string_view campaign,
                                const FirstDecisions& firsts, const RedeemedOrders& orders) {
  std::set<std::string> ids;
  for (const auto& [id, offer] : book.offers()) {
    if (offer->campaign == campaign) ids.insert(id);
  }
  for (const auto& [id, counts] : firsts.counts()) ids.insert(id);
  for (const auto& [id, counts] : orders.counts()) ids.insert(id);
  return ids;
}

std::string currency_of(const coupons::OfferBook& book, std::string_view campaign,
                        const RedeemedOrders& orders) {
  const auto most =
      std::ranges::max_element(orders.currencies(), {}, [](const auto& one) { return one.second; });
  if (most != orders.currencies().end()) return most->first;
  for (const auto& [id, offer] : book.offers()) {
    if (offer->campaign == campaign && !offer->amounts.empty())
      return offer->amounts.begin()->second.currency;
  }
  return "";
}

}  // namespace

std::string_view name_of(MarginBasis basis) {
  return basis == MarginBasis::net_revenue ? "net_revenue" : "net_revenue_less_cost";
}

bool CampaignReport::is_whole_window() const {
  return window_days == CampaignReporter::k_window_days_usual;
}

std::string CampaignReport::why() const {
  if (is_whole_window()) return judgement.why;
  return fmt::format("{} days are too soon for a verdict, which takes {}", window_days,
                     CampaignReporter::k_window_days_usual);
}

absl::StatusOr<CampaignReport> CampaignReporter::report(const Question& question,
                                                        const Visit& visit) const {
  const auto book = parts_.desk.offers();
  const auto campaign = book->campaign(question.campaign);
  if (!campaign) return not_found("there is no campaign {}", question.campaign);
  CampaignReport report{.campaign = question.campaign,
                        .as_of_ms = parts_.clock.now_ms(),
                        .window_days = question.window_days};
  VITRINE_ASSIGN_OR_RETURN(
      const FirstDecisions firsts,
      FirstDecisions::read(parts_.decisions, parts_.identities, *book, question.campaign));
  VITRINE_ASSIGN_OR_RETURN(
      const RedeemedOrders orders,
      RedeemedOrders::read(parts_.database, parts_.identities, *book, question.campaign));
  report.nameless = firsts.nameless();
  report.offer_names = firsts.offers();
  report.currency =
      question.currency.empty() ? currency_of(*book, question.campaign, orders) : question.currency;
  VITRINE_ASSIGN_OR_RETURN(const auto takings, takings_of(firsts, orders, report));
  VITRINE_RETURN_IF_ERROR(count_offers(*book, firsts, orders, report));
  VITRINE_RETURN_IF_ERROR(judge(firsts, takings, campaign->holdout_share, visit, report));
  return report;
}

absl::Status CampaignReporter::count_offers(const coupons::OfferBook& book,
                                            const FirstDecisions& firsts,
                                            const RedeemedOrders& orders,
                                            CampaignReport& report) const {
  VITRINE_ASSIGN_OR_RETURN(const auto seen, sightings_of(parts_.database, firsts, report.first_ms));
  for (const std::string& id : offers_of(book, report.campaign, firsts, orders)) {
    CampaignReport::OfferLine line{.offer = id};
    const auto denied = parts_.desk.denials().counts_of(id);
    for (std::size_t reason = 0; reason < denied.size(); ++reason) {
      if (denied.at(reason) == 0) continue;
      line.denied.emplace_back(static_cast<coupons::Reason>(reason), denied.at(reason));
    }
    VITRINE_ASSIGN_OR_RETURN(
        const coupons::Balance issued,
        parts_.desk.balance(coupons::total_account("offer", id, Measure::issued, "")));
    line.issued = issued.committed;
    if (const auto counts = firsts.counts().find(id); counts != firsts.counts().end()) {
      line.shown = counts->second.shown;
      line.ghosts = counts->second.ghosts;
    }
    if (const auto count = seen.find(id); count != seen.end()) line.seen = count->second;
    if (const auto counts = orders.counts().find(id); counts != orders.counts().end()) {
      line.redeemed = counts->second.redeemed;
      line.returned = counts->second.returned;
    }
    std::set<std::string> currencies;
    if (const auto offer = book.offer(id)) {
      for (const auto& [market, amounts] : offer->amounts) currencies.insert(amounts.currency);
    }
    for (const auto& [currency, count] : orders.currencies()) currencies.insert(currency);
    for (const std::string& currency : currencies) {
      VITRINE_ASSIGN_OR_RETURN(
          const coupons::Balance spent,
          parts_.desk.balance(coupons::total_account("offer", id, Measure::discount, currency)));
      line.cost[currency] = {spent.committed};
    }
    report.offers.push_back(std::move(line));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<std::optional<Takings>>> CampaignReporter::takings_of(
    const FirstDecisions& firsts, const RedeemedOrders& orders, CampaignReport& report) const {
  Cashbook cashbook(parts_.catalog.current(), orders, report.currency);
  const TimeMs window_ms = report.window_days * k_day_ms;
  const auto taken_by = [&](const FirstDecisions::First& first, const profiles::Profile& profile) {
    return cashbook.takings_of(first.user, profile, first.time_ms, first.time_ms + window_ms);
  };
  static const profiles::Profile nobody;
  std::vector<std::optional<Takings>> takings;
  report.people = firsts.all().size();
  for (const FirstDecisions::First& first : firsts.all()) {
    const TimeMs end_ms = first.time_ms + window_ms;
    if (report.first_ms == 0 || first.time_ms < report.first_ms) report.first_ms = first.time_ms;
    report.closes_ms = std::max(report.closes_ms, end_ms);
    const bool is_over = end_ms <= report.as_of_ms;
    report.open_people += is_over ? 0 : 1;
    takings.push_back(is_over ? std::optional(taken_by(first, nobody)) : std::nullopt);
  }
  const auto fill = [&](std::size_t place, const profiles::Profile& profile) {
    if (takings[place]) takings[place] = taken_by(firsts.all()[place], profile);
  };
  if (takings.size() * k_walk_rather_than_find > parts_.profiles.size()) {
    VITRINE_RETURN_IF_ERROR(
        parts_.profiles.walk([&](UserNumber user, const profiles::Profile& profile) {
          if (const auto place = firsts.place_of(user)) fill(*place, profile);
          return true;
        }));
    return takings;
  }
  for (std::size_t place = 0; place < takings.size(); ++place) {
    if (const auto profile = parts_.profiles.find(firsts.all()[place].user)) fill(place, *profile);
  }
  return takings;
}

absl::Status CampaignReporter::judge(const FirstDecisions& firsts,
                                     const std::vector<std::optional<Takings>>& takings,
                                     double holdout_share, const Visit& visit,
                                     CampaignReport& report) {
  double sold = 0;
  double sold_with_cost = 0;
  double cost = 0;
  for (const std::optional<Takings>& one : takings) {
    if (!one) continue;
    sold += one->sold;
    sold_with_cost += one->sold_with_cost;
    cost += one->cost;
    report.other_currency += one->other_currency;
  }
  report.cost_coverage = sold > 0 ? sold_with_cost / sold : 0;
  double cost_share = 0;  // of the shop's price, of products whose cost is not known
  if (report.cost_coverage >= k_cost_coverage_min) {
    report.basis = MarginBasis::net_revenue_less_cost;
    cost_share = cost / sold_with_cost;
  }
  training::CampaignJudge judge(holdout_share);
  for (std::size_t place = 0; place < takings.size(); ++place) {
    if (!takings[place]) continue;
    const FirstDecisions::First& first = firsts.all()[place];
    const Takings& one = *takings[place];
    double margin = one.revenue;
    if (report.basis == MarginBasis::net_revenue_less_cost)
      margin -= one.cost + cost_share * (one.sold - one.sold_with_cost);
    if (first.assignment == Assignment::offered) report.offered_revenue += one.revenue;
    if (first.assignment == Assignment::holdout) report.holdout_revenue += one.revenue;
    if (visit) {
      const std::string* const offer = first.chosen ? &firsts.offers()[*first.chosen] : nullptr;
      visit({.first = first, .offer = offer, .takings = one, .margin = margin});
    }
    VITRINE_RETURN_IF_ERROR(judge.add({.assignment = first.assignment,
                                       .chosen = first.chosen,
                                       .propensity = first.propensity,
                                       .arms = firsts.arms_of(first),
                                       .score = first.score,
                                       .orders = one.orders,
                                       .margin = margin,
                                       .has_redeemed = one.has_redeemed}));
  }
  report.judgement = judge.judgement();
  return absl::OkStatus();
}

}  // namespace vitrine::payoff
