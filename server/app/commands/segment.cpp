// vitrine segment: how many people are meant, who they are, whom two segments share.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <memory>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/commands/segment_pages.h"
#include "server/app/import/csv.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

struct SegmentCommand {
  std::string expression;
  bool include_visitors = false;
  bool exact = false;
  std::string key;
  std::string other;
  std::string format = "csv";
};

absl::StatusOr<std::string> ask(CommandClient& client, std::string_view method,
                                const std::string& target, std::string body = {}) {
  return client.api().call(method, target, std::move(body));
}

absl::StatusOr<std::unique_ptr<CommandClient>> opened(const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  return CommandClient::open(invocation.config);
}

absl::Status preview(const SegmentCommand& command, const Invocation& invocation) {
  VITRINE_ASSIGN_OR_RETURN(const auto client, opened(invocation));
  std::string body;
  http::JsonWriter(body)
      .begin_object()
      .field("expression", command.expression)
      .field("include_visitors", command.include_visitors)
      .field("exact", command.exact)
      .end_object();
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           ask(*client, "POST", "/v1/segments/preview", std::move(body)));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value found, parsed_answer(answer));
  const auto number = [&](std::string_view name) {
    return found.at(boost::json::string_view(name.data(), name.size())).to_number<double>();
  };
  print_line(found.at("exact").as_bool()
                 ? fmt::format("{:.0f} of {:.0f} people", number("matched"), number("people"))
                 : fmt::format("about {:.0f} of {:.0f} people, between {:.0f} and {:.0f}",
                               number("estimate"), number("people"), number("low"),
                               number("high")));
  return absl::OkStatus();
}

std::string csv_text(const std::string& text) {
  std::string cell;
  append_csv(cell, text);
  return cell;
}

// Page by page, so that it takes no memory to speak of.
absl::Status members(const SegmentCommand& command, const Invocation& invocation) {
  VITRINE_ASSIGN_OR_RETURN(const auto client, opened(invocation));
  VITRINE_RETURN_IF_ERROR(wait_until_built(client->api(), command.key));
  const bool is_table = !invocation.json && command.format == "csv";
  if (is_table) print_line("user_id,visitor_id");
  return for_each_member(client->api(), command.key, [&](const boost::json::value& member) {
    print_line(is_table ? fmt::format("{},{}", csv_text(text_at(member, "/user_id")),
                                      csv_text(text_at(member, "/visitor_id")))
                        : boost::json::serialize(member));
    return absl::OkStatus();
  });
}

absl::Status overlap(const SegmentCommand& command, const Invocation& invocation) {
  VITRINE_ASSIGN_OR_RETURN(const auto client, opened(invocation));
  VITRINE_RETURN_IF_ERROR(wait_until_built(client->api(), command.key));
  VITRINE_RETURN_IF_ERROR(wait_until_built(client->api(), command.other));
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           ask(*client, "GET",
                               fmt::format("/v1/segments/{}/overlap/{}", url_encoded(command.key),
                                           url_encoded(command.other))));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value shared, parsed_answer(answer));
  Table table({{"people in"}, {"", Table::Align::right}});
  table.add_row({command.key, text_at(shared, "/segment_size")});
  table.add_row({command.other, text_at(shared, "/other_size")});
  table.add_row({"both", text_at(shared, "/both")});
  table.add_row({"either", text_at(shared, "/either")});
  print(table.text(has_colours(stdout)));
  return absl::OkStatus();
}

}  // namespace

void add_segment(CLI::App& root, Invocation& invocation) {
  CLI::App& app =
      add_command(root, invocation, "segment", "How many people are meant, and who they are",
                  "  vitrine segment preview 'user.orders_count > 1' --data shop\n"
                  "  vitrine segment members lapsed --data shop > lapsed.csv\n"
                  "  vitrine segment overlap lapsed spenders --data shop\n");
  app.require_subcommand(1);
  const auto command = std::make_shared<SegmentCommand>();
  const auto on = [&](CLI::App& verb, auto action) {
    verb.callback([command, action, &invocation] {
      invocation.run = [command, action, &invocation] { return action(*command, invocation); };
    });
  };
  const auto names = [&](CLI::App& verb, const char* name, std::string& key) {
    verb.add_option(name, key, "Its key")->required()->type_name("SEGMENT");
  };

  CLI::App& previewed = add_verb(app, invocation, "preview", "How many people an expression finds");
  previewed.add_option("expression", command->expression, "Who is meant")
      ->required()
      ->type_name("EXPRESSION");
  previewed.add_flag("--include-visitors", command->include_visitors,
                     "People without a user id too");
  previewed.add_flag("--exact", command->exact, "Ask everybody in a large shop too");
  on(previewed, preview);
  CLI::App& listed = add_verb(app, invocation, "members", "Who is in a segment, one a line");
  names(listed, "segment", command->key);
  listed.add_option("--format", command->format, "csv, or ndjson")
      ->check(CLI::IsMember({"csv", "ndjson"}));
  on(listed, members);
  CLI::App& shared = add_verb(app, invocation, "overlap", "Whom two segments share");
  names(shared, "segment", command->key);
  names(shared, "other", command->other);
  on(shared, overlap);
  add_segment_audiences(app, invocation);
}

}  // namespace vitrine::app
