#include "server/app/commands/grant.h"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <boost/json.hpp>
#include <chrono>
#include <memory>
#include <string>
#include <thread>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/json_text.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

constexpr auto k_between_looks = std::chrono::milliseconds(200);
constexpr int k_looks_until_built_max = 3000;  // ten minutes

struct GrantCommand {
  std::string offer;
  std::string segment;
  std::string round = "1";
};

// A segment may be being built yet.
ApiClient::Answer begin(const GrantCommand& command, ApiClient& api) {
  const std::string body = boost::json::serialize(boost::json::object{
      {"offer", command.offer}, {"segment", command.segment}, {"round", command.round}});
  ApiClient::Answer answer = api.call("POST", "/v1/grants/jobs", body);
  for (int look = 0; look < k_looks_until_built_max && absl::IsUnavailable(answer.status());
       ++look) {
    std::this_thread::sleep_for(k_between_looks);
    answer = api.call("POST", "/v1/grants/jobs", body);
  }
  return answer;
}

// Until it does not run any more.
ApiClient::Answer follow(std::string job_json, ApiClient& api, bool quiet) {
  Progress progress("grant", quiet);
  while (true) {
    VITRINE_ASSIGN_OR_RETURN(const boost::json::value job, parsed_answer(job_json));
    const auto people = job.at("people").to_number<std::uint64_t>();
    const auto looked_at = job.at("looked_at").to_number<std::uint64_t>();
    const std::string so_far = fmt::format("{} of {} people", grouped(looked_at), grouped(people));
    if (text_at(job, "/state") != "running") {
      progress.finish(so_far);
      return job_json;
    }
    progress.update(static_cast<double>(looked_at) / static_cast<double>(std::max(people, 1UL)),
                    so_far);
    std::this_thread::sleep_for(k_between_looks);
    VITRINE_ASSIGN_OR_RETURN(job_json, api.call("GET", "/v1/grants/jobs/" + text_at(job, "/job")));
  }
}

std::string sentence_of(const boost::json::value& job) {
  std::string text =
      fmt::format("job {} is {}: {} were given {}, {} had it already", text_at(job, "/job"),
                  text_at(job, "/state"), text_at(job, "/granted"), text_at(job, "/offer"),
                  text_at(job, "/had_it"));
  for (const auto& reason : job.at("withheld").as_object()) {
    text += fmt::format(", {} are kept from it ({})", boost::json::serialize(reason.value()),
                        std::string_view(reason.key()));
  }
  for (const auto& reason : job.at("denied").as_object()) {
    text += fmt::format(", {} were refused for {}", boost::json::serialize(reason.value()),
                        std::string_view(reason.key()));
  }
  const std::string stopped_by = text_at(job, "/stopped_by");
  if (!stopped_by.empty()) text += fmt::format("; stopped by {}", stopped_by);
  return text;
}

absl::Status run(const GrantCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<CommandClient> client,
                           CommandClient::open(invocation.config));
  VITRINE_ASSIGN_OR_RETURN(std::string begun, begin(command, client->api()));
  VITRINE_ASSIGN_OR_RETURN(const std::string ended,
                           follow(std::move(begun), client->api(), invocation.json));
  if (invocation.json) {
    print_line(ended);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value job, parsed_answer(ended));
  print_line(sentence_of(job));
  return absl::OkStatus();
}

}  // namespace

void add_grant(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "grant", "Give a coupon to everybody in a segment",
      "  vitrine grant --data shop spring20 --segment regulars\n"
      "  vitrine grant --data shop spring20 --segment regulars --round 2026-12\n"
      "\nNobody is given twice in a round. The job goes on in a server when this command is\n"
      "stopped, and with the next server when there is none; see GET /v1/grants/jobs.\n");
  const auto command = std::make_shared<GrantCommand>();
  add_data_option(app, invocation);
  app.add_option("offer", command->offer, "An offer with the trigger granted")->required();
  app.add_option("--segment", command->segment, "Whose members are given it")
      ->type_name("KEY")
      ->required();
  app.add_option("--round", command->round, "A person gets one grant of an offer in a round")
      ->type_name("NAME");
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
