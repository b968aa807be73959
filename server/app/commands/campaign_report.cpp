// vitrine campaign report: what came of a campaign, and what would have come of others.
#include <absl/strings/str_cat.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <memory>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"

namespace vitrine::app {
namespace {

namespace json = boost::json;
using Align = Table::Align;

struct ReportCommand {
  std::string campaign;
  int days = 0;  // 0: as the server has it
  std::string currency;
};

// "EUR 40.00", and several after one another.
std::string members_of(const json::value& object, bool is_name_first) {
  std::string text;
  for (const auto& [name, value] : object.as_object()) {
    if (!text.empty()) text += ", ";
    const std::string key(name);
    const std::string content =
        value.is_string() ? std::string(value.as_string()) : json::serialize(value);
    absl::StrAppend(&text, is_name_first ? key : content, " ", is_name_first ? content : key);
  }
  return text;
}

void print_verdict(const json::value& report) {
  const std::string verdict = text_at(report, "/verdict/verdict");
  const bool is_sure = verdict != "cannot_tell";
  print_line(fmt::format("{}: {}, {}", text_at(report, "/campaign"),
                         is_sure ? verdict + " than no campaign" : "cannot tell",
                         text_at(report, "/verdict/why")));
  print_line(fmt::format(
      "margin {:+.4f} {} a person, between {:+.4f} and {:+.4f}; {:+.2f} in all",
      double_at(report, "/effect/margin/per_person"), text_at(report, "/margin/currency"),
      double_at(report, "/effect/margin/low"), double_at(report, "/effect/margin/high"),
      double_at(report, "/effect/margin/total")));
  print_line(fmt::format(
      "orders {:+.4f} a person, between {:+.4f} and {:+.4f}; {:+.1f} in all",
      double_at(report, "/effect/orders/per_person"), double_at(report, "/effect/orders/low"),
      double_at(report, "/effect/orders/high"), double_at(report, "/effect/orders/total")));
  print_line(fmt::format(
      "{} of {} people judged, {} days each; margins are {}{}", count_at(report, "/people/judged"),
      count_at(report, "/people/assigned"), text_at(report, "/window_days"),
      text_at(report, "/margin/basis") == "net_revenue"
          ? "net revenue, because the catalog has no costs"
          : fmt::format("net of the products' costs, known for {:.0f} % of what was sold",
                        100 * double_at(report, "/margin/cost_coverage")),
      report.at("verdict").at("final").as_bool() ? "" : "; not final"));
  const double missing = double_at(report, "/verdict/conversions_missing");
  if (missing > 0) {
    print_line(
        fmt::format("{:.0f} buyers are missing in the smaller group until it can be learnt "
                    "whom a coupon moves",
                    missing));
  }
}

void print_groups(const json::value& report) {
  const std::string currency = text_at(report, "/margin/currency");
  Table table({{"group"},
               {"people", Align::right},
               {"buyers", Align::right},
               {"orders", Align::right},
               {"revenue " + currency, Align::right},
               {"margin " + currency, Align::right},
               {"redeemed", Align::right}});
  for (const char* const name : {"offered", "holdout"}) {
    const json::value& group = report.at("groups").at(name);
    table.add_row({name, count_at(group, "/people"), count_at(group, "/buyers"),
                   count_at(group, "/orders"), amount_at(group, "/revenue"),
                   amount_at(group, "/margin"), count_at(group, "/redeemed")});
  }
  print(table.text(has_colours(stdout)));
}

void print_offers(const json::value& report) {
  Table table({{"offer"},
               {"issued", Align::right},
               {"shown", Align::right},
               {"seen", Align::right},
               {"ghosts", Align::right},
               {"redeemed", Align::right},
               {"returned", Align::right},
               {"cost", Align::right},
               {"denied"}});
  const auto add = [&](const std::string& name, const json::value& line) {
    table.add_row({name, count_at(line, "/issued"), count_at(line, "/shown"),
                   count_at(line, "/seen"), count_at(line, "/ghosts"), count_at(line, "/redeemed"),
                   count_at(line, "/returned"), members_of(line.at("cost"), false),
                   members_of(line.at("denied"), true)});
  };
  for (const json::value& offer : array_at(report, "/offers")) add(text_at(offer, "/offer"), offer);
  add("all", report.at("totals"));
  print(table.text(has_colours(stdout)));
}

std::string name_of_policy(const json::value& policy) {
  const std::string kind = text_at(policy, "/policy");
  if (kind == "single") return text_at(policy, "/offer") + " to all";
  return kind == "likeliest" ? "the likeliest, without chance" : kind;
}

void print_policies(const json::value& report) {
  const json::array& policies = array_at(report, "/policies");
  if (policies.empty()) return;
  Table table({{"what else could have been done"},
               {"margin a person", Align::right},
               {"between", Align::right},
               {"and", Align::right},
               {"decisions that tell", Align::right},
               {"against what was done"}});
  for (const json::value& policy : policies) {
    const json::array& refusals = array_at(policy, "/refusals");
    table.add_row({name_of_policy(policy), amount_at(policy, "/value/value"),
                   amount_at(policy, "/value/low"), amount_at(policy, "/value/high"),
                   count_at(policy, "/effective"),
                   refusals.empty() ? text_at(policy, "/verdict")
                                    : "refused: " + std::string(refusals.front().as_string())});
  }
  print(table.text(has_colours(stdout)));
}

absl::Status report(const ReportCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const auto client, CommandClient::open(invocation.config));
  std::string target = "/v1/campaigns/" + url_encoded(command.campaign) + "/report?";
  if (command.days > 0) target += fmt::format("window_days={}&", command.days);
  if (!command.currency.empty()) target += "currency=" + url_encoded(command.currency);
  VITRINE_ASSIGN_OR_RETURN(const std::string answer, client->api().call("GET", target));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const json::value found, parsed_answer(answer));
  print_verdict(found);
  print_groups(found);
  print_offers(found);
  print_policies(found);
  return absl::OkStatus();
}

}  // namespace

void add_campaign_report(CLI::App& campaign, Invocation& invocation) {
  const auto command = std::make_shared<ReportCommand>();
  CLI::App& verb = add_verb(campaign, invocation, "report", "Whether it paid");
  verb.add_option("campaign", command->campaign, "Its id")->required()->type_name("CAMPAIGN");
  verb.add_option("--days", command->days, "After each person's first decision, 1 to 28")
      ->check(CLI::Range(1, 28));
  verb.add_option("--currency", command->currency, "Of the margins, as EUR")->type_name("CODE");
  verb.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return report(*command, invocation); };
  });
}

}  // namespace vitrine::app
