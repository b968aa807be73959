// vitrine models: which versions there are, and which one serves.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <boost/json.hpp>
#include <memory>

#include "base/status.h"
#include "model/model_registry.h"
#include "server/app/api_client.h"
#include "server/app/commands/command.h"
#include "server/app/commands/one_call.h"
#include "server/app/terminal/style.h"
#include "server/app/terminal/table.h"
#include "server/http/json_writer.h"

namespace vitrine::app {
namespace {

struct ModelsCommand {
  std::string version;
  std::size_t keep = 5;
};

ModelRegistry registry_of(const Invocation& invocation) {
  return ModelRegistry(DataLayout(invocation.config.data).models);
}

// The members of a version's object; its braces are the caller's.
void write_version(http::JsonWriter& writer, const ModelRegistry::Version& version) {
  const TrainingRecord& record = version.record;
  writer.field("model_version", version.name)
      .field("is_current", version.is_current)
      .field("created_at", format_time(record.created_ms))
      .field("source", record.source)
      .field("interactions", record.interactions)
      .field("users", record.users)
      .field("pairs", record.pairs)
      .field("orders", record.orders)
      .field("epochs", record.epochs)
      .field("seed", record.seed);
  writer.key("settings").begin_object();
  for (const auto& [name, value] : record.settings) writer.field(name, value);
  writer.end_object().key("metrics").begin_object();
  for (const auto& [name, value] : record.metrics) writer.field(name, value);
  writer.end_object().key("libraries").begin_object();
  for (const auto& [name, value] : record.libraries) writer.field(name, value);
  writer.end_object();
}

absl::Status list(const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const std::vector<ModelRegistry::Version> versions,
                           registry_of(invocation).list());
  if (invocation.json) {
    std::string line;
    http::JsonWriter writer(line);
    writer.begin_object().key("models").begin_array();
    for (const ModelRegistry::Version& version : versions) {
      writer.begin_object();
      write_version(writer, version);
      writer.end_object();
    }
    writer.end_array().end_object();
    print_line(line);
    return absl::OkStatus();
  }
  if (versions.empty()) {
    print_line("no model yet: 'vitrine train' makes one");
    return absl::OkStatus();
  }
  Table table({{"version"},
               {"serves"},
               {"trained on"},
               {"interactions", Table::Align::right},
               {"users", Table::Align::right},
               {"pairs", Table::Align::right},
               {"epochs", Table::Align::right}});
  for (const ModelRegistry::Version& version : versions) {
    table.add_row({version.name, version.is_current ? "yes" : "", version.record.source,
                   grouped(version.record.interactions), grouped(version.record.users),
                   grouped(version.record.pairs), std::to_string(version.record.epochs)});
  }
  print(table.text(has_colours(stdout)));
  return absl::OkStatus();
}

void print_texts(std::string_view title, const std::map<std::string, std::string>& texts) {
  if (texts.empty()) return;
  print_line(title);
  for (const auto& [name, value] : texts) print_line(fmt::format("  {:<24} {}", name, value));
}

absl::Status show(const ModelsCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const std::vector<ModelRegistry::Version> versions,
                           registry_of(invocation).list());
  const auto found = std::ranges::find(versions, command.version, &ModelRegistry::Version::name);
  if (found == versions.end()) {
    return not_found("there is no model {}: 'vitrine models list' shows those there are",
                     command.version);
  }
  // Loading it verifies every file.
  VITRINE_ASSIGN_OR_RETURN(const std::shared_ptr<const TrainedModel> model,
                           registry_of(invocation).load(command.version));
  const FactorParameters& factors = model->factors().parameters();
  if (invocation.json) {
    std::string line;
    http::JsonWriter writer(line);
    writer.begin_object();
    write_version(writer, *found);
    writer.field("products", model->row_count())
        .field("dims", factors.dimension)
        .field("alpha0", factors.alpha0)
        .field("lambda", factors.lambda)
        .field("nu", factors.nu)
        .end_object();
    print_line(line);
    return absl::OkStatus();
  }
  const TrainingRecord& record = found->record;
  print_texts(found->name + (found->is_current ? " (serves)" : ""),
              {{"created", format_time(record.created_ms)},
               {"trained on", record.source},
               {"newest event", format_time(record.until_ms)},
               {"interactions", grouped(record.interactions)},
               {"users", grouped(record.users)},
               {"pairs", grouped(record.pairs)},
               {"orders", grouped(record.orders)},
               {"products", grouped(model->row_count())},
               {"dims", std::to_string(factors.dimension)},
               {"alpha0", fmt::format("{}", factors.alpha0)},
               {"lambda", fmt::format("{}", factors.lambda)},
               {"nu", fmt::format("{}", factors.nu)},
               {"epochs", std::to_string(record.epochs)},
               {"seed", std::to_string(record.seed)}});
  print_texts("settings", record.settings);
  std::map<std::string, std::string> metrics;
  for (const auto& [name, value] : record.metrics) metrics[name] = fmt::format("{:.4f}", value);
  print_texts("metrics", metrics);
  print_texts("libraries", record.libraries);
  return absl::OkStatus();
}

// Promotion goes through the server, so that what it answers is what then serves.
absl::Status change(const std::string& target, const Invocation& invocation) {
  VITRINE_ASSIGN_OR_RETURN(const std::string answer, ask(invocation, "POST", target));
  if (invocation.json) {
    print_line(answer);
    return absl::OkStatus();
  }
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> current,
                           registry_of(invocation).current());
  print_line(fmt::format("{} serves", current.value_or("no model")));
  return absl::OkStatus();
}

absl::Status promote(const ModelsCommand& command, const Invocation& invocation) {
  return change("/v1/models/" + url_encoded(command.version) + "/promote", invocation);
}

absl::Status prune(const ModelsCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const std::vector<std::string> removed,
                           registry_of(invocation).prune(command.keep));
  if (invocation.json) {
    std::string line;
    http::JsonWriter writer(line);
    writer.begin_object().key("removed").begin_array();
    for (const std::string& name : removed) writer.value(name);
    writer.end_array().end_object();
    print_line(line);
    return absl::OkStatus();
  }
  for (const std::string& name : removed) print_line("removed " + name);
  print_line(fmt::format("{} removed", removed.size()));
  return absl::OkStatus();
}

}  // namespace

void add_models(CLI::App& root, Invocation& invocation) {
  CLI::App& app = add_command(root, invocation, "models", "Versions of the trained model",
                              "  vitrine models list --data shop\n"
                              "  vitrine models promote 20261121T101500Z-3f2a9c01 --data shop\n"
                              "  vitrine models rollback --data shop\n"
                              "  vitrine models prune --keep 3 --data shop\n"
                              "  vitrine models import --vectors v.npy --products ids.txt --data "
                              "shop\n");
  app.require_subcommand(1);
  const auto command = std::make_shared<ModelsCommand>();
  const auto on = [&](CLI::App& verb, auto action) {
    verb.callback([command, action, &invocation] {
      invocation.run = [command, action, &invocation] { return action(*command, invocation); };
    });
  };

  on(add_verb(app, invocation, "list", "All versions, newest first"),
     [](const ModelsCommand&, const Invocation& what) { return list(what); });

  CLI::App& shown = add_verb(app, invocation, "show", "How a version came about");
  shown.add_option("version", command->version, "The version")->required()->type_name("ID");
  on(shown, show);

  CLI::App& promoted = add_verb(app, invocation, "promote", "Let a version serve");
  promoted.add_option("version", command->version, "The version")->required()->type_name("ID");
  on(promoted, promote);

  on(add_verb(app, invocation, "rollback", "Let the version before serve again"),
     [](const ModelsCommand&, const Invocation& what) {
       return change("/v1/models/rollback", what);
     });

  CLI::App& pruned = add_verb(app, invocation, "prune", "Delete old versions");
  pruned
      .add_option("--keep", command->keep,
                  "Newest versions to keep, besides the one that serves and the one before")
      ->check(CLI::Range(0, 10'000))
      ->capture_default_str();
  on(pruned, prune);

  add_models_import(app, invocation);
}

}  // namespace vitrine::app
