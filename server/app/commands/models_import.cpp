// vitrine models import: vectors that were learnt elsewhere become a version like any other.
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <memory>

#include "base/clock.h"
#include "base/file.h"
#include "base/status.h"
#include "model/model_registry.h"
#include "model/npy.h"
#include "server/app/commands/command.h"
#include "server/app/commands/training_flags.h"
#include "server/app/commands/training_input.h"
#include "server/app/terminal/style.h"
#include "server/http/json_writer.h"
#include "training/outside_vectors.h"

namespace vitrine::app {
namespace {

struct ModelsImportCommand {
  TrainingFlags training;
  std::string vectors;
  std::string products;
  bool promote = false;
};

// One id a line; ids are any text, so that tabs and blanks belong to them.
std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

absl::Status run(const ModelsImportCommand& command, const Invocation& invocation) {
  VITRINE_RETURN_IF_ERROR(check_data(invocation.config, true));
  VITRINE_ASSIGN_OR_RETURN(const std::string bytes, read_file(command.vectors));
  const absl::StatusOr<NpyMatrix> matrix = decode_npy(bytes);
  if (!matrix.ok()) return invalid_argument("{}: {}", command.vectors, message_of(matrix.status()));
  VITRINE_ASSIGN_OR_RETURN(const std::string names, read_file(command.products));
  const std::vector<std::string> products = lines_of(names);
  if (products.size() != matrix->rows) {
    return invalid_argument("{} has {} vectors, {} has {} products", command.vectors, matrix->rows,
                            command.products, products.size());
  }
  training::TrainOptions options = command.training.options;
  options.als.factors.dimension = static_cast<std::uint32_t>(matrix->columns);

  VITRINE_ASSIGN_OR_RETURN(TrainingInput input,
                           TrainingInput::open(invocation.config, "", invocation.json));
  VITRINE_ASSIGN_OR_RETURN(const training::DatasetOptions dataset,
                           dataset_options(command.training));
  training::DatasetBuilder builder(dataset);
  VITRINE_RETURN_IF_ERROR(
      input.for_each([&](const training::Interaction& one) { builder.add(one); }));
  const absl::StatusOr<training::Dataset> data = builder.build();
  // A shop where nothing happened yet may begin with a model from elsewhere.
  const bool is_empty = data.status().code() == absl::StatusCode::kFailedPrecondition;
  if (!data.ok() && !is_empty) return data.status();

  training::DataSource source = input.described();
  source.name = std::filesystem::path(command.vectors).filename().string();
  VITRINE_ASSIGN_OR_RETURN(
      const std::shared_ptr<const TrainedModel> model,
      training::model_of_vectors(products, matrix->values, options, is_empty ? nullptr : &*data,
                                 source, SystemClock()));
  ModelRegistry registry(DataLayout(invocation.config.data).models);
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> current, registry.current());
  const bool promote = command.promote || !current;
  VITRINE_RETURN_IF_ERROR(registry.publish(*model, promote));
  if (invocation.json) {
    std::string line;
    http::JsonWriter(line)
        .begin_object()
        .field("model_version", model->version())
        .field("promoted", promote)
        .field("products", model->row_count())
        .field("dims", model->factors().dimension())
        .end_object();
    print_line(line);
    return absl::OkStatus();
  }
  print_line(fmt::format("imported {}: {} products, d = {}{}", model->version(),
                         grouped(model->row_count()), model->factors().dimension(),
                         promote ? "; it is the model that serves" : ""));
  return absl::OkStatus();
}

}  // namespace

void add_models_import(CLI::App& models, Invocation& invocation) {
  CLI::App& app =
      add_verb(models, invocation, "import", "Take over vectors that were learnt elsewhere");
  const auto command = std::make_shared<ModelsImportCommand>();
  app.add_option("--vectors", command->vectors, "NumPy matrix, one row a product")
      ->required()
      ->type_name("F.npy");
  app.add_option("--products", command->products, "The rows' product ids, one a line")
      ->required()
      ->type_name("FILE");
  training::AlsOptions& als = command->training.options.als;
  app.add_option("--lambda", als.factors.lambda,
                 "Strength of regularization when users are folded in")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--alpha0", als.factors.alpha0, "Weight of all pairs nobody observed")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--nu", als.factors.nu, "How regularization follows a user's pairs, 0 to 1")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str();
  app.add_flag("--promote", command->promote, "Let it serve at once, without a comparison");
  app.callback([command, &invocation] {
    invocation.run = [command, &invocation] { return run(*command, invocation); };
  });
}

}  // namespace vitrine::app
