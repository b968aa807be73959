// vitrine erase: forget people, in every file of the data folder.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/commands/one_call.h"
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

struct EraseCommand {
  std::vector<std::string> users;
  std::vector<std::string> visitors;
};

boost::json::array array_of(const std::vector<std::string>& ids) {
  boost::json::array out;
  for (const std::string& id : ids) out.emplace_back(id);
  return out;
}

absl::Status run(const EraseCommand& command, const Invocation& invocation) {
  const std::string people = boost::json::serialize(boost::json::object{
      {"user_ids", array_of(command.users)}, {"visitor_ids", array_of(command.visitors)}});
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           ask(invocation, "POST", "/v1/erasures", people));
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
                              "Forget people, in every file, and say what was done; for ever",
                              "  vitrine erase --data shop --user 12347\n"
                              "  vitrine erase --data shop --user 12347 --user 12348 --visitor v7\n"
                              "  vitrine erase --data shop --user 12347 --json\n");
  const auto command = std::make_shared<EraseCommand>();
  add_data_option(app, invocation);
  CLI::Option_group& who = *app.add_option_group("who");
  who.add_option("--user", command->users, "A user's id, with all its visitors; many are one pass")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  who.add_option("--visitor", command->visitors, "The id of a visitor that belongs to no user")
      ->type_name("ID")
      ->expected(1)
      ->take_all();
  who.require_option(1, 0);
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
