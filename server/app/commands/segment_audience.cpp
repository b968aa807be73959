// vitrine segment lookalike and audience: whom to reach.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <thread>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/commands/segment_pages.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

struct AudienceCommand {
  std::string segment;
  std::string save_as;
  std::size_t size = 0;
  std::string product;
  std::string category;
  std::size_t limit = 100;
  bool include_buyers = false;
};

std::string path_of(const std::string& segment) {
  return "/v1/segments/" + url_encoded(segment) + "/lookalike";
}

// Until it is there; what it says of itself as JSON.
absl::StatusOr<std::string> wait_for(ApiClient& client, const AudienceCommand& command,
                                     const Invocation& invocation) {
  constexpr auto k_between = std::chrono::milliseconds(200);
  VITRINE_RETURN_IF_ERROR(client.call("POST", path_of(command.segment), "{}").status());
  Progress progress("asking everybody", invocation.json);
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(std::string answer, client.call("GET", path_of(command.segment)));
    VITRINE_ASSIGN_OR_RETURN(const boost::json::value run, parsed_answer(answer));
    const std::string state = text_at(run, "/state");
    if (state == "failed") return failed_precondition("{}", text_at(run, "/error"));
    if (state == "done") {
      progress.finish(text_at(run, "/result/people") + " people");
      return answer;
    }
    progress.update(run.at("progress").to_number<double>(), "");
    std::this_thread::sleep_for(k_between);
  }
}

void print_result(const boost::json::value& run) {
  const auto number = [&](const char* name) {
    return run.at("result").at(name).to_number<double>();
  };
  print_line(fmt::format("AUC {:.3f}, between {:.3f} and {:.3f}: {}", number("auc"),
                         number("auc_low"), number("auc_high"),
                         run.at("result").at("better_than_chance").as_bool()
                             ? "people like them can be told from others"
                             : "people like them cannot be told from others"));
  Table drivers({{"what tells them apart"}, {"weight", Table::Align::right}});
  for (const char* const kind : {"/result/habits", "/result/categories"}) {
    for (const boost::json::value& driver : array_at(run, kind)) {
      drivers.add_row({text_at(driver, "/name"),
                       fmt::format("{:+.2f}", driver.at("weight").to_number<double>())});
    }
  }
  print(drivers.text(has_colours(stdout)));
  Table sizes({{"people", Table::Align::right}, {"score of the last", Table::Align::right}});
  for (const boost::json::value& size : array_at(run, "/result/sizes")) {
    sizes.add_row(
        {text_at(size, "/size"), fmt::format("{:.3f}", size.at("score").to_number<double>())});
  }
  print(sizes.text(has_colours(stdout)));
}

absl::Status save(ApiClient& client, const AudienceCommand& command, const Invocation& invocation) {
  std::string body;
  http::JsonWriter(body)
      .begin_object()
      .field("segment", command.save_as)
      .field("size", command.size)
      .end_object();
  VITRINE_RETURN_IF_ERROR(
      client.call("POST", path_of(command.segment) + "/save", std::move(body)).status());
  note(invocation, fmt::format("segment {} has them", command.save_as));
  return absl::OkStatus();
}

absl::Status lookalike(const AudienceCommand& command, const Invocation& invocation) {
  if (command.save_as.empty() != (command.size == 0)) return wrong_use("--save needs --size");
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const auto client, CommandClient::open(invocation.config));
  VITRINE_RETURN_IF_ERROR(wait_until_built(client->api(), command.segment));
  VITRINE_ASSIGN_OR_RETURN(const std::string answer, wait_for(client->api(), command, invocation));
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value run, parsed_answer(answer));
  invocation.json ? print_line(answer) : print_result(run);
  if (command.save_as.empty()) return absl::OkStatus();
  return save(client->api(), command, invocation);
}

absl::Status audience(const AudienceCommand& command, const Invocation& invocation) {
  if (command.product.empty() == command.category.empty()) {
    return wrong_use("--product or --category says what people would want");
  }
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const auto client, CommandClient::open(invocation.config));
  std::string body;
  http::JsonWriter(body)
      .begin_object()
      .field(command.product.empty() ? "category" : "product_id",
             command.product.empty() ? command.category : command.product)
      .field("limit", command.limit)
      .field("include_buyers", command.include_buyers)
      .end_object();
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           client->api().call("POST", "/v1/audiences", std::move(body)));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value found, parsed_answer(answer));
  Table table({{"user"}, {"score", Table::Align::right}});
  for (const boost::json::value& member : array_at(found, "/members")) {
    table.add_row({text_at(member, "/user_id"),
                   fmt::format("{:.3f}", member.at("score").to_number<double>())});
  }
  print(table.text(has_colours(stdout)));
  return absl::OkStatus();
}

}  // namespace

void add_segment_audiences(CLI::App& segment, Invocation& invocation) {
  const auto command = std::make_shared<AudienceCommand>();
  const auto on = [&](CLI::App& verb, auto action) {
    verb.callback([command, action, &invocation] {
      invocation.run = [command, action, &invocation] { return action(*command, invocation); };
    });
  };
  CLI::App& alike =
      add_verb(segment, invocation, "lookalike", "Who is like the people of a segment");
  alike.add_option("segment", command->segment, "Its key")->required()->type_name("SEGMENT");
  alike.add_option("--save", command->save_as, "A new static segment of the most alike")
      ->type_name("SEGMENT");
  alike.add_option("--size", command->size, "How many people that has")
      ->check(CLI::Range(1, 1'000'000));
  on(alike, lookalike);
  CLI::App& wanting =
      add_verb(segment, invocation, "audience", "Who would want a product or a category");
  wanting.add_option("--product", command->product, "Its id")->type_name("PRODUCT");
  wanting.add_option("--category", command->category, "Its path")->type_name("CATEGORY");
  wanting.add_option("--limit", command->limit, "People, best first")
      ->check(CLI::Range(1, 10'000))
      ->capture_default_str();
  wanting.add_flag("--include-buyers", command->include_buyers, "Who bought it already, too");
  on(wanting, audience);
}

}  // namespace vitrine::app
