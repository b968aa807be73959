// vitrine recommend: an answer with titles and reasons, no server needed.
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
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

constexpr std::size_t k_history_max = 8;  // products shown above the answer

struct RecommendCommand {
  std::string user_id;
  std::string visitor_id;
  std::vector<std::string> products;
  std::string placement;
  std::size_t limit = 10;
  bool explain = false;
};

absl::Status check(const RecommendCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  if (command.user_id.empty() && command.visitor_id.empty() && command.products.empty()) {
    return wrong_use("say for whom or for what: --user U, --visitor V or --products P,P");
  }
  return absl::OkStatus();
}

// Without a placement asked for: one product is looked at, several are a cart, a person is at home.
std::string placement_of(const RecommendCommand& command) {
  if (!command.placement.empty()) return command.placement;
  if (command.products.empty()) return "home";
  return command.products.size() == 1 ? "product_page" : "cart";
}

std::string request_of(const RecommendCommand& command) {
  std::string body;
  http::JsonWriter writer(body);
  writer.begin_object()
      .field("placement", placement_of(command))
      .field("limit", command.limit)
      .field("explain", command.explain);
  writer.key("fields").begin_array().value("title").value("price").end_array();
  if (!command.user_id.empty()) writer.field("user_id", command.user_id);
  if (!command.visitor_id.empty()) writer.field("visitor_id", command.visitor_id);
  if (!command.products.empty()) {
    writer.key("context").begin_object().field("product_id", command.products.front());
    writer.key("cart").begin_array();
    for (const std::string& product : command.products) writer.value(product);
    writer.end_array().end_object();
  }
  writer.end_object();
  return body;
}

// "19.90 GBP"; empty without a price.
std::string price_of(const boost::json::value& product) {
  const std::string price = text_at(product, "/price");
  return price.empty() ? price : price + " " + text_at(product, "/currency");
}

absl::StatusOr<boost::json::value> get(ApiClient& api, const std::string& target) {
  VITRINE_ASSIGN_OR_RETURN(const std::string answer, api.call("GET", target));
  return parsed_answer(answer);
}

// What the person did last, each product once. Somebody new has no history, and nothing is shown.
void print_history(const RecommendCommand& command, ApiClient& api) {
  if (command.user_id.empty()) return;
  const absl::StatusOr<boost::json::value> user =
      get(api, "/v1/users/" + url_encoded(command.user_id));
  if (!user.ok()) return;
  Table table({{"did"}, {"when"}, {"product"}, {"title"}});
  std::vector<std::string> seen;
  for (const boost::json::value& event : array_at(*user, "/recent")) {
    std::string product_id = text_at(event, "/product_id");
    if (std::ranges::find(seen, product_id) != seen.end()) continue;
    const absl::StatusOr<boost::json::value> product =
        get(api, "/v1/products/" + url_encoded(product_id));
    table.add_row({text_at(event, "/type"), text_at(event, "/time").substr(0, 10), product_id,
                   product.ok() ? text_at(*product, "/title") : ""});
    seen.push_back(std::move(product_id));
    if (seen.size() == k_history_max) break;
  }
  if (table.empty()) return;
  print_line(fmt::format("What {} did last", command.user_id));
  print(table.text(has_colours(stdout)));
  print_line("");
}

void print_answer(const RecommendCommand& command, const boost::json::value& answer) {
  const std::string model = text_at(answer, "/model_version");
  print_line(fmt::format("Recommended at {}{}, {}", text_at(answer, "/placement"),
                         text_at(answer, "/personalized") == "true" ? ", personal" : "",
                         model.empty() ? "no model yet: what is popular" : "model " + model));
  std::vector<Table::Column> columns{{"rank", Table::Align::right},
                                     {"product"},
                                     {"title"},
                                     {"price", Table::Align::right},
                                     {"reason", Table::Align::left, 80}};
  if (command.explain) {
    columns.push_back({"source"});
    columns.push_back({"score", Table::Align::right});
  }
  Table table(std::move(columns));
  std::size_t rank = 0;
  for (const boost::json::value& product : array_at(answer, "/products")) {
    std::vector<std::string> cells{std::to_string(++rank), text_at(product, "/product_id"),
                                   text_at(product, "/title"), price_of(product),
                                   text_at(product, "/reason/text")};
    if (command.explain) {
      cells.push_back(text_at(product, "/source"));
      cells.push_back(text_at(product, "/score"));
    }
    table.add_row(std::move(cells));
  }
  print(table.text(has_colours(stdout)));
  if (const std::string requested = text_at(answer, "/shortfall/requested"); !requested.empty()) {
    print_line(fmt::format("{} of {} products; removed: {}", rank, requested,
                           text_at(answer, "/shortfall/removed")));
  }
}

absl::Status run(const RecommendCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check(command, invocation));
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<CommandClient> client,
                           CommandClient::open(invocation.config));
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           client->api().call("POST", "/v1/recommendations", request_of(command)));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value parsed, parsed_answer(answer));
  print_history(command, client->api());
  print_answer(command, parsed);
  return absl::OkStatus();
}

}  // namespace

void add_recommend(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "recommend", "Ask for products, with titles and reasons",
      "  vitrine recommend --data shop --user 12347\n"
      "  vitrine recommend --data shop --products 22423          what goes with a product\n"
      "  vitrine recommend --data shop --products 22423,85123A   what goes with a cart\n"
      "  vitrine recommend --data shop --visitor v1 --placement home --limit 5 --explain\n");
  const auto command = std::make_shared<RecommendCommand>();
  add_data_option(app, invocation);
  app.add_option("--user", command->user_id, "For this user")->type_name("U");
  app.add_option("--visitor", command->visitor_id, "For this visitor")->type_name("V");
  app.add_option("--products", command->products, "For the product looked at, or a cart")
      ->delimiter(',')
      ->type_name("P,P");
  app.add_option("--placement", command->placement,
                 "Where; default: home, product_page with one product, cart with several")
      ->type_name("NAME");
  app.add_option("--limit", command->limit, "How many")
      ->check(CLI::Range(1, 200))
      ->capture_default_str();
  app.add_flag("--explain", command->explain, "Show sources and scores");
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
