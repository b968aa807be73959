#include "server/http/campaign_report_json.h"

#include <map>

#include "base/clock.h"
#include "model/money.h"

namespace vitrine::http {
namespace {

using payoff::CampaignReport;
using training::CampaignEffect;
using training::CampaignJudgement;
using training::Estimate;
using training::GroupFigures;

constexpr double k_z_95 = 1.959963985;

void append_moment(JsonWriter& json, std::string_view name, TimeMs time_ms) {
  json.key(name);
  time_ms == 0 ? json.null() : json.value(format_time(time_ms));
}

// Of offers, and of all of them together.
struct Line {
  CampaignReport::OfferLine counts;
  std::map<std::string_view, std::uint64_t> denied;

  void add(const CampaignReport::OfferLine& more) {
    counts.issued += more.issued;
    counts.shown += more.shown;
    counts.seen += more.seen;
    counts.ghosts += more.ghosts;
    counts.redeemed += more.redeemed;
    counts.returned += more.returned;
    for (const auto& [currency, cost] : more.cost) counts.cost[currency].minor += cost.minor;
    for (const auto& [reason, count] : more.denied) denied[name_of(reason)] += count;
  }
};

void append_line(JsonWriter& json, const Line& line) {
  json.field("issued", line.counts.issued).field("shown", line.counts.shown);
  json.field("seen", line.counts.seen).field("ghosts", line.counts.ghosts);
  json.field("redeemed", line.counts.redeemed).field("returned", line.counts.returned);
  json.key("cost").begin_object();
  for (const auto& [currency, cost] : line.counts.cost)
    json.field(currency, format_money(cost, currency));
  json.end_object().key("denied").begin_object();
  for (const auto& [reason, count] : line.denied) json.field(reason, count);
  json.end_object();
}

void append_offers(JsonWriter& json, const CampaignReport& report) {
  Line all;
  json.key("offers").begin_array();
  for (const CampaignReport::OfferLine& offer : report.offers) {
    Line line;
    line.add(offer);
    all.add(offer);
    json.begin_object().field("offer", offer.offer);
    append_line(json, line);
    json.end_object();
  }
  json.end_array().key("totals").begin_object();
  append_line(json, all);
  json.end_object();
}

void append_figures(JsonWriter& json, const GroupFigures& group) {
  json.field("people", group.orders.people).field("buyers", group.orders.conversions);
  json.field("orders", group.orders.sum).field("margin", group.margin.sum);
  json.field("redeemed", group.redeemed);
}

void append_group(JsonWriter& json, std::string_view name, const GroupFigures& group,
                  double revenue) {
  json.key(name).begin_object();
  append_figures(json, group);
  json.field("revenue", revenue).end_object();
}

void append_effect(JsonWriter& json, std::string_view name, const CampaignEffect& effect) {
  json.key(name).begin_object().field("per_person", effect.per_person);
  json.field("low", effect.low).field("high", effect.high).field("total", effect.total);
  json.field("total_low", effect.total_low).field("total_high", effect.total_high);
  json.field("verdict", name_of(effect.verdict)).field("why", effect.why).end_object();
}

void append_groups(JsonWriter& json, const CampaignReport& report) {
  const CampaignJudgement& judged = report.judgement;
  json.key("groups").begin_object();
  append_group(json, "offered", judged.offered, report.offered_revenue);
  append_group(json, "holdout", judged.holdout, report.holdout_revenue);
  json.key("universal_control").begin_object().field("people", judged.universal_control);
  json.end_object().end_object();
  const auto people = static_cast<double>(judged.holdout.orders.people);
  json.key("contamination").begin_object().field("people", judged.holdout.redeemed);
  json.field("share", people > 0 ? static_cast<double>(judged.holdout.redeemed) / people : 0.0);
  json.end_object().field("sample_ratio_p", judged.sample_ratio_p);
  json.key("effect").begin_object();
  append_effect(json, "orders", judged.orders);
  append_effect(json, "margin", judged.margin);
  json.end_object();
}

void append_verdict(JsonWriter& json, const CampaignReport& report) {
  json.key("verdict").begin_object().field("verdict", name_of(report.verdict()));
  json.field("why", report.why()).field("final", report.is_final());
  json.field("conversions_missing", report.judgement.conversions_missing).end_object();
}

void append_ghosts(JsonWriter& json, const CampaignReport& report) {
  json.key("ghosts").begin_array();
  for (const CampaignJudgement::Ghosts& one : report.judgement.ghosts) {
    json.begin_object().field("offer", report.offer_names.at(one.offer));
    json.key("granted").begin_object();
    append_figures(json, one.granted);
    json.end_object().key("ghosts").begin_object();
    append_figures(json, one.ghosts);
    json.end_object().key("effect").begin_object();
    append_effect(json, "orders", one.orders);
    append_effect(json, "margin", one.margin);
    json.end_object().end_object();
  }
  json.end_array();
}

void append_interval(JsonWriter& json, std::string_view name, const training::Interval& interval) {
  json.key(name).begin_object().field("mean", interval.mean).field("low", interval.low);
  json.field("high", interval.high).end_object();
}

void append_scores(JsonWriter& json, const std::optional<CampaignJudgement::Scores>& scores) {
  json.key("scores");
  if (!scores) {
    json.null();
    return;
  }
  json.begin_object().field("people", scores->people).field("qini", scores->curve.qini);
  json.field("auuc", scores->curve.auuc);
  append_interval(json, "qini_area", scores->intervals.qini_area);
  append_interval(json, "gain_area", scores->intervals.gain_area);
  append_interval(json, "uplift_at_10", scores->intervals.uplift_at_10);
  append_interval(json, "uplift_at_30", scores->intervals.uplift_at_30);
  json.end_object();
}

void append_estimate(JsonWriter& json, std::string_view name, const Estimate& estimate) {
  json.key(name).begin_object().field("value", estimate.value).field("error", estimate.error);
  json.field("low", estimate.value - k_z_95 * estimate.error);
  json.field("high", estimate.value + k_z_95 * estimate.error).end_object();
}

void append_policy(JsonWriter& json, const CampaignReport& report,
                   const CampaignJudgement::Policy& policy) {
  const training::OffPolicyEstimate& estimate = policy.estimate;
  json.begin_object().field("policy", name_of(policy.kind)).key("offer");
  policy.kind == CampaignJudgement::PolicyKind::single
      ? json.value(report.offer_names.at(policy.offer))
      : json.null();
  append_estimate(json, "value", estimate.doubly_robust);
  append_estimate(json, "ips", estimate.ips);
  append_estimate(json, "snips", estimate.snips);
  append_estimate(json, "gain", estimate.gain);
  json.field("verdict", name_of(estimate.verdict)).field("effective", estimate.effective);
  json.field("weight_mean", estimate.weight_mean).field("weight_max", estimate.weight_max);
  json.field("unsupported", estimate.unsupported).key("refusals").begin_array();
  for (const std::string& refusal : estimate.refusals) json.value(refusal);
  json.end_array().end_object();
}

void append_policies(JsonWriter& json, const CampaignReport& report) {
  const CampaignJudgement& judged = report.judgement;
  json.key("policies").begin_array();
  for (const CampaignJudgement::Policy& policy : judged.policies)
    append_policy(json, report, policy);
  json.end_array().key("best_single_offer");
  judged.best_single ? json.value(report.offer_names.at(judged.policies[*judged.best_single].offer))
                     : json.null();
  json.field("against_best_single", name_of(judged.against_best_single));
}

}  // namespace

void append_campaign_report(JsonWriter& json, const CampaignReport& report) {
  json.begin_object().field("campaign", report.campaign);
  json.field("as_of", format_time(report.as_of_ms)).field("window_days", report.window_days);
  append_moment(json, "first_decision_at", report.first_ms);
  append_moment(json, "closes_at", report.closes_ms);
  json.key("people").begin_object().field("assigned", report.people);
  json.field("judged", report.people - report.open_people).field("open", report.open_people);
  json.field("nameless_decisions", report.nameless).end_object();
  append_offers(json, report);
  json.key("margin").begin_object().field("basis", name_of(report.basis));
  json.field("currency", report.currency).field("cost_coverage", report.cost_coverage);
  json.field("other_currency_orders", report.other_currency).end_object();
  append_groups(json, report);
  append_verdict(json, report);
  append_ghosts(json, report);
  append_scores(json, report.judgement.scores);
  append_policies(json, report);
  json.end_object();
}

}  // namespace vitrine::http
