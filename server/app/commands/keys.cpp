// vitrine keys: who may call.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <memory>

#include "base/status.h"
#include "server/app/api_client.h"
#include "server/app/commands/command.h"
#include "server/app/commands/json_text.h"
#include "server/app/commands/one_call.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"
#include "server/http/request_rate.h"
#include "server/http/scopes.h"

namespace vitrine::app {
namespace {

struct KeysCommand {
  std::vector<std::string> scopes;
  std::vector<std::string> origins;
  std::string currency;
  std::uint32_t requests_per_second = 0;  // 0: the server's default, as for the next
  std::uint32_t burst = 0;
  std::string key_id;
  bool is_secret = false;
};

void write_texts(http::JsonWriter& writer, std::string_view name,
                 const std::vector<std::string>& texts) {
  writer.key(name).begin_array();
  for (const std::string& text : texts) writer.value(text);
  writer.end_array();
}

absl::Status create(const KeysCommand& command, const Invocation& invocation) {
  for (const std::string& scope : command.scopes) {
    if (absl::Status status = http::Scopes::parse(scope).status(); !status.ok()) {
      return wrong_use(fmt::format("--scopes: {}", message_of(status)));
    }
  }
  std::string body;
  http::JsonWriter writer(body);
  writer.begin_object();
  write_texts(writer, "scopes", command.scopes);
  if (!command.origins.empty()) write_texts(writer, "origins", command.origins);
  if (!command.currency.empty()) writer.field("currency", command.currency);
  if (command.requests_per_second > 0) {
    writer.field("requests_per_second", command.requests_per_second);
  }
  if (command.burst > 0) writer.field("burst", command.burst);
  if (command.is_secret) writer.field("secret", true);
  writer.end_object();
  VITRINE_ASSIGN_OR_RETURN(const std::string answer,
                           ask(invocation, "POST", "/v1/keys", std::move(body), false));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value key, parsed_answer(answer));
  print_line(text_at(key, "/key"));
  note(invocation, fmt::format("key {} with {}; it is shown this once, keep it",
                               text_at(key, "/id"), text_at(key, "/scopes")));
  if (const std::string secret = text_at(key, "/identity_secret"); !secret.empty()) {
    note(invocation,
         fmt::format("identity secret for user tokens, for the backend alone: {}", secret));
  }
  return absl::OkStatus();
}

absl::Status renew_identity(const KeysCommand& command, const Invocation& invocation) {
  VITRINE_ASSIGN_OR_RETURN(
      const std::string answer,
      ask(invocation, "POST", "/v1/keys/" + url_encoded(command.key_id) + "/identity-secrets"));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value renewed, parsed_answer(answer));
  print_line(text_at(renewed, "/identity_secret"));
  note(invocation, "tokens signed with this secret or the one before it are valid");
  return absl::OkStatus();
}

absl::Status list(const KeysCommand&, const Invocation& invocation) {
  VITRINE_ASSIGN_OR_RETURN(const std::string answer, ask(invocation, "GET", "/v1/keys"));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const boost::json::value keys, parsed_answer(answer));
  Table table({{"key"}, {"scopes"}, {"origins"}, {"created"}});
  for (const boost::json::value& key : array_at(keys, "/keys")) {
    table.add_row({text_at(key, "/id"), text_at(key, "/scopes"), text_at(key, "/origins"),
                   text_at(key, "/created_at")});
  }
  print(table.empty() ? "no keys: 'vitrine keys create' makes one\n"
                      : table.text(has_colours(stdout)));
  return absl::OkStatus();
}

absl::Status revoke(const KeysCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(
      ask(invocation, "DELETE", "/v1/keys/" + url_encoded(command.key_id)).status());
  if (invocation.json) {
    std::string line;
    http::JsonWriter(line).begin_object().field("revoked", command.key_id).end_object();
    print_line(line);
  } else {
    print_line(fmt::format("{} is revoked", command.key_id));
  }
  return absl::OkStatus();
}

}  // namespace

void add_keys(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(
      root, invocation, "keys", "API keys, stored hashed, shown once",
      "  vitrine keys create --scopes collect,recommend --origin https://shop.example --data shop\n"
      "  vitrine keys create --scopes collect --secret --data shop\n"
      "  vitrine keys renew-identity KEY_ID --data shop\n"
      "  vitrine keys list --data shop\n"
      "  vitrine keys revoke KEY_ID --data shop\n");
  app.require_subcommand(1);
  const auto command = std::make_shared<KeysCommand>();
  const auto on = [&](CLI::App& verb, auto action) {
    verb.callback([command, action, &invocation] {
      invocation.run = [command, action, &invocation] { return action(*command, invocation); };
    });
  };

  CLI::App& made = add_verb(app, invocation, "create", "A new key, printed on standard output");
  made.add_option("--scopes", command->scopes,
                  "What it may do: collect, recommend, catalog, marketing, models, privacy, admin")
      ->delimiter(',')
      ->required();
  made.add_option("--origin", command->origins, "Pages that may use it; may be given again")
      ->type_name("URL");
  made.add_option("--currency", command->currency,
                  "Of tracked amounts that name none; else the server's")
      ->type_name("ISO4217");
  made.add_option("--requests-per-second", command->requests_per_second,
                  "More are answered 429 (10000)")
      ->check(CLI::Range(1U, http::RequestRate::k_per_second_max));
  made.add_option("--burst", command->burst, "Requests at once (twice as many as a second)")
      ->check(CLI::Range(1U, http::RequestRate::k_burst_max));
  made.add_flag(
      "--secret", command->is_secret,
      "Kept in a backend, though its scopes are public: what it says of people is believed");
  on(made, create);
  on(add_verb(app, invocation, "list", "All keys, without their secrets"), list);
  CLI::App& renewed = add_verb(app, invocation, "renew-identity",
                               "A new identity secret for a public key's user tokens");
  renewed.add_option("key", command->key_id, "Its id, as list shows it")
      ->required()
      ->type_name("KEY_ID");
  on(renewed, renew_identity);
  CLI::App& revoked = add_verb(app, invocation, "revoke", "End a key; the next request is refused");
  revoked.add_option("key", command->key_id, "Its id, as list shows it")
      ->required()
      ->type_name("KEY_ID");
  on(revoked, revoke);
}

}  // namespace vitrine::app
