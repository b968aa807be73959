#include "server/app/commands/campaign_allocate.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/json_text.h"
#include "server/app/commands/segment_pages.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"

namespace vitrine::app {
namespace {

namespace json = boost::json;
using Align = Table::Align;

constexpr auto k_between_looks = std::chrono::milliseconds(200);

struct AllocateCommand {
  std::string campaign;
  std::string segment;
  std::string round = "1";
  std::string market;
  std::string currency;
  std::vector<std::string> offers;
  bool is_trial = false;
};

std::string target_of(const AllocateCommand& command) {
  return "/v1/campaigns/" + url_encoded(command.campaign) + "/allocations";
}

std::string body_of(const AllocateCommand& command) {
  json::object body{{"round", command.round}};
  if (!command.segment.empty()) body["segment"] = command.segment;
  if (!command.market.empty()) body["market"] = command.market;
  if (!command.currency.empty()) body["currency"] = command.currency;
  for (const std::string& offer : command.offers) {
    if (!body.contains("offers")) body["offers"] = json::array();
    body["offers"].as_array().emplace_back(offer);
  }
  return json::serialize(body);
}

// How far it is, first in working it out, then in granting.
void show(const json::value& run, Progress& progress) {
  if (text_at(run, "/state") == "working") {
    return progress.update(double_at(run, "/progress"), "working it out");
  }
  double people = 0;
  double looked_at = 0;
  for (const json::value& job : array_at(run, "/jobs")) {
    people += double_at(job, "/people");
    looked_at += double_at(job, "/looked_at");
  }
  progress.update(looked_at / std::max(people, 1.0),
                  fmt::format("granting, {:.0f} of {:.0f} people", looked_at, people));
}

// Until nothing of it goes on any more.
ApiClient::Answer follow(const AllocateCommand& command, std::string answer, ApiClient& api,
                         bool quiet) {
  Progress progress("allocate", quiet);
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(const json::value run, parsed_answer(answer));
    const std::string state = text_at(run, "/state");
    if (state == "failed") return failed_precondition("{}", text_at(run, "/error"));
    if (state != "working" && state != "granting") {
      progress.finish(count_at(run, "/result/people/asked_about") + " people");
      return answer;
    }
    show(run, progress);
    std::this_thread::sleep_for(k_between_looks);
    VITRINE_ASSIGN_OR_RETURN(answer, api.call("GET", target_of(command) + "/" +
                                                         url_encoded(text_at(run, "/allocation"))));
  }
}

void print_people(const json::value& result) {
  print_line(fmt::format(
      "{} people: {} may be offered something, {} are in the holdout, {} in the control group; {} "
      "were decided about in this round, {} had enough new coupons this week",
      count_at(result, "/people/asked_about"), count_at(result, "/people/offered"),
      count_at(result, "/people/holdout"), count_at(result, "/people/control_group"),
      count_at(result, "/people/had_it"), count_at(result, "/people/fatigue")));
  if (result.at("uplift").at("learnt").as_bool()) {
    print_line(fmt::format("values are learnt uplift, from {} people: {:+.4f} +- {:.4f} a person",
                           count_at(result, "/uplift/people"),
                           double_at(result, "/uplift/average/value"),
                           double_at(result, "/uplift/average/standard_error")));
  } else {
    print_line("values are expected sales, not uplift: " + text_at(result, "/uplift/why"));
  }
}

void print_offers(const json::value& result) {
  const std::string currency = text_at(result, "/currency");
  Table table({{"offer"},
               {"people", Align::right},
               {"ghosts", Align::right},
               {"redemptions", Align::right},
               {"value " + currency, Align::right},
               {"cost " + currency, Align::right}});
  const auto add = [&](const std::string& name, const json::value& line) {
    table.add_row({name, count_at(line, "/people"), count_at(line, "/ghosts"),
                   fmt::format("{:.1f}", double_at(line, "/redemptions")),
                   amount_at(line, "/value"), amount_at(line, "/cost")});
  };
  for (const json::value& offer : array_at(result, "/offers")) add(text_at(offer, "/offer"), offer);
  add("all", result.at("totals"));
  const json::value& single = result.at("best_single");
  if (!single.is_null()) {
    const double share = double_at(single, "/share");
    table.add_row({fmt::format("instead: {} to {:.0f} %", text_at(single, "/offer"), 100 * share),
                   fmt::format("{:.0f}", share * double_at(result, "/people/offered")), "", "",
                   amount_at(single, "/value"), amount_at(single, "/cost")});
  }
  table.add_row({"instead: nobody", "0", "", "", "0.00", "0.00"});
  print(table.text(has_colours(stdout)));
  print_line(fmt::format("no allocation is worth more than {}", amount_at(result, "/bound")));
}

void print_budgets(const json::value& result) {
  for (const json::value& one : array_at(result, "/left_out")) {
    print_line(fmt::format("{} is left out: {}", text_at(one, "/offer"), text_at(one, "/reason")));
  }
  if (!array_at(result, "/budgets").empty()) {
    Table table({{"budget"},
                 {"left", Align::right},
                 {"expected cost", Align::right},
                 {"price of a unit", Align::right}});
    for (const json::value& budget : array_at(result, "/budgets")) {
      table.add_row({text_at(budget, "/budget"), amount_at(budget, "/left"),
                     amount_at(budget, "/spent"),
                     fmt::format("{:.4f}", double_at(budget, "/price"))});
    }
    print(table.text(has_colours(stdout)));
  }
  for (const json::value& limit : array_at(result, "/limits")) {
    if (double_at(limit, "/expected") <= double_at(limit, "/left")) continue;
    print_line(fmt::format("{} has {} left for {:.0f} expected: the ledger stops there",
                           text_at(limit, "/limit"), count_at(limit, "/left"),
                           double_at(limit, "/expected")));
  }
}

void print_jobs(const json::value& run) {
  for (const json::value& job : array_at(run, "/jobs")) {
    const std::string stopped_by = text_at(job, "/stopped_by");
    print_line(fmt::format("job {} is {}: {} were given {}{}", text_at(job, "/job"),
                           text_at(job, "/state"), count_at(job, "/granted"),
                           text_at(job, "/offer"),
                           stopped_by.empty() ? "" : "; stopped by " + stopped_by));
  }
}

absl::Status allocate(const AllocateCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const auto client, CommandClient::open(invocation.config));
  ApiClient& api = client->api();
  if (!command.segment.empty()) VITRINE_RETURN_IF_ERROR(wait_until_built(api, command.segment));
  const std::string target = target_of(command) + (command.is_trial ? "?validate_only=true" : "");
  VITRINE_ASSIGN_OR_RETURN(std::string begun, api.call("POST", target, body_of(command)));
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           follow(command, std::move(begun), api, invocation.json));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const json::value run, parsed_answer(answer));
  const json::value& result = run.at("result");
  if (result.is_object()) {
    print_people(result);
    print_offers(result);
    print_budgets(result);
  }
  print_jobs(run);
  return absl::OkStatus();
}

}  // namespace

void add_campaign_allocate(CLI::App& campaign, Invocation& invocation) {
  const auto command = std::make_shared<AllocateCommand>();
  CLI::App& verb =
      add_verb(campaign, invocation, "allocate", "Who gets which offer within its budgets");
  verb.add_option("campaign", command->campaign, "Its id")->required()->type_name("CAMPAIGN");
  verb.add_option("--segment", command->segment, "Whose members; else the campaign's audience")
      ->type_name("KEY");
  verb.add_option("--offer", command->offers, "One of these; else of all its granted offers")
      ->type_name("ID");
  verb.add_option("--round", command->round, "A person gets one offer of the campaign in a round")
      ->type_name("NAME");
  verb.add_option("--market", command->market, "Whose amounts count")->type_name("MARKET");
  verb.add_option("--currency", command->currency, "Whose amounts count, as EUR")
      ->type_name("CODE");
  verb.add_flag("--dry-run", command->is_trial, "Only say what would be");
  verb.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return allocate(*command, invocation); };
  });
}

}  // namespace vitrine::app
