#include "server/http/allocation_json.h"

#include <string>

#include "base/status.h"
#include "server/http/grant_job_json.h"

namespace vitrine::http {
namespace {

using coupons::CampaignAllocation;
using training::BatchAllocation;

void append_text(JsonWriter& json, std::string_view name, const std::string& text) {
  json.key(name);
  text.empty() ? json.null() : json.value(text);
}

void append_sum(JsonWriter& json, const BatchAllocation::OfferSum& sum) {
  json.field("people", sum.people).field("ghosts", sum.ghosts);
  json.field("redemptions", sum.redemptions).field("value", sum.value).field("cost", sum.cost);
}

void append_offers(JsonWriter& json, const CampaignAllocation& found) {
  BatchAllocation::OfferSum all;
  json.key("offers").begin_array();
  for (std::size_t place = 0; place < found.offers.size(); ++place) {
    const BatchAllocation::OfferSum& sum = found.batch.offers[place];
    json.begin_object().field("offer", found.offers[place]);
    append_sum(json, sum);
    json.end_object();
    all.people += sum.people;
    all.ghosts += sum.ghosts;
    all.redemptions += sum.redemptions;
    all.value += sum.value;
    all.cost += sum.cost;
  }
  json.end_array().key("totals").begin_object();
  append_sum(json, all);
  json.end_object().key("left_out").begin_array();
  for (const CampaignAllocation::LeftOut& one : found.left_out) {
    json.begin_object().field("offer", one.offer).field("reason", name_of(one.reason));
    json.end_object();
  }
  json.end_array();
}

void append_budgets(JsonWriter& json, const CampaignAllocation& found) {
  json.key("budgets").begin_array();
  for (std::size_t i = 0; i < found.budgets.budgets.size(); ++i) {
    const coupons::CampaignBudgets::Budget& budget = found.budgets.budgets[i];
    json.begin_object().field("budget", budget.account).field("left", budget.left);
    json.field("spent", found.batch.spent[i]).field("price", found.batch.prices[i]).end_object();
  }
  json.end_array().key("limits").begin_array();
  for (const coupons::CampaignBudgets::Count& count : found.budgets.counts) {
    double expected = 0;
    for (const std::uint32_t place : count.offers) {
      const BatchAllocation::OfferSum& sum = found.batch.offers[place];
      const bool is_issued = count.measure == coupons::Measure::issued;
      expected += is_issued ? static_cast<double>(sum.people) : sum.redemptions;
    }
    json.begin_object().field("limit", count.account).field("left", count.left);
    json.field("expected", expected).end_object();
  }
  json.end_array();
}

void append_people(JsonWriter& json, const CampaignAllocation& found) {
  json.key("people").begin_object().field("asked_about", found.people);
  json.field("offered", found.offered).field("holdout", found.holdout);
  json.field("control_group", found.control_group).field("had_it", found.had_it);
  json.field("fatigue", found.fatigue).field("gone", found.gone).end_object();
}

void append_single(JsonWriter& json, const CampaignAllocation& found) {
  json.key("best_single");
  if (!found.batch.best_single) {
    json.null();
    return;
  }
  const BatchAllocation::Single& single = *found.batch.best_single;
  json.begin_object().field("offer", found.offers[single.offer]).field("share", single.share);
  json.field("value", single.value).field("cost", single.cost).end_object();
}

void append_uplift(JsonWriter& json, const coupons::LearnedUplift& uplift) {
  json.key("uplift").begin_object().field("learnt", uplift.fit.has_value());
  json.field("people", uplift.people).field("conversions_missing", uplift.conversions_missing);
  json.field("why", uplift.why).key("average");
  if (uplift.fit) {
    json.begin_object().field("value", uplift.fit->average.value);
    json.field("standard_error", uplift.fit->average.error).end_object();
  } else {
    json.null();
  }
  json.end_object();
}

void append_result(JsonWriter& json, const CampaignAllocation& found) {
  json.begin_object().field("currency", found.currency).field("policy", found.policy);
  append_people(json, found);
  append_offers(json, found);
  append_budgets(json, found);
  json.field("bound", found.batch.bound);
  append_single(json, found);
  append_uplift(json, found.uplift);
  json.end_object();
}

}  // namespace

void append_allocation(JsonWriter& json, const coupons::Allocations::Run& run) {
  json.begin_object().field("allocation", run.id).field("campaign", run.question.campaign);
  append_text(json, "segment", run.question.segment);
  json.field("round", run.question.round).field("validate_only", run.is_trial);
  json.field("state", name_of(run.state)).field("progress", run.progress);
  append_text(json, "error", std::string(message_of(run.status)));
  json.field("began_at", format_time(run.began_ms)).key("result");
  run.result == nullptr ? static_cast<void>(json.null()) : append_result(json, *run.result);
  json.key("jobs").begin_array();
  for (const coupons::GrantJob& job : run.jobs) append_grant_job(json, job);
  json.end_array().end_object();
}

}  // namespace vitrine::http
