// vitrine erase: forget a person, in every file of the data folder.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <memory>
#include <string>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"

namespace vitrine::app {
namespace {

std::string receipt_text(const boost::json::value& receipt) {
  Table table({{"owner"},
               {"dropped", Table::Align::right},
               {"kept without the person", Table::Align::right}});
  for (const boost::json::value& owner : receipt.at("owners").as_array()) {
    table.add_row({text_at(owner, "/owner"), text_at(owner, "/dropped"),
                   text_at(owner, "/kept_without_person")});
  }
  return table.text(has_colours(stdout)) + fmt::format("erasure {}, completed at {}\n",
                                                       text_at(receipt, "/erasure_id"),
                                                       text_at(receipt, "/completed_at"));
}

absl::Status run(const std::string& user_id, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const std::unique_ptr<CommandClient> client,
                           CommandClient::open(invocation.config));
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           client->api().call("DELETE", "/v1/users/" + url_encoded(user_id), {}));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value receipt, parsed_answer(answer));
  print(receipt_text(receipt));
  return absl::OkStatus();
}

}  // namespace

void add_erase(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(root, invocation, "erase",
                              "Forget a person, in every file, and say what was done; for ever",
                              "  vitrine erase --data shop --user 12347\n"
                              "  vitrine erase --data shop --user 12347 --json\n");
  const auto user_id = std::make_shared<std::string>();
  add_data_option(app, invocation);
  app.add_option("--user", *user_id, "The user's id")->required()->type_name("ID");
  app.callback([user_id, &invocation] {
    invocation.run = [user_id, &invocation] { return run(*user_id, invocation); };
  });
}

}  // namespace vitrine::app
