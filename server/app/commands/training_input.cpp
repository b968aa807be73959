#include "server/app/commands/training_input.h"

#include <filesystem>

#include "base/status.h"
#include "server/app/catalog_products.h"
#include "server/app/log_interactions.h"
#include "server/app/terminal/progress.h"
#include "server/app/terminal/style.h"
#include "server/events/event_log.h"
#include "training/interaction_file.h"

namespace vitrine::app {

absl::StatusOr<TrainingInput> TrainingInput::open(const Config& config, const std::string& file,
                                                  bool quiet) {
  TrainingInput input;
  input.file_ = file;
  input.quiet_ = quiet;
  if (file.empty()) {
    VITRINE_ASSIGN_OR_RETURN(input.database_,
                             store::Database::open_beside(DataLayout(config.data).store));
    // A database opened beside a server shows the log as it is now.
    input.last_ = events::make_local_event_log(*input.database_)->last_position();
  }
  return input;
}

absl::Status TrainingInput::for_each(
    const std::function<void(const training::Interaction&)>& take) {
  if (!file_.empty()) return training::read_interactions(file_, take).status();
  Progress progress("reading the log", quiet_);
  VITRINE_ASSIGN_OR_RETURN(
      const LogFacts facts,
      read_log_interactions(*database_, take, [&](Position done, Position last) {
        progress.update(static_cast<double>(done) / static_cast<double>(last),
                        grouped(done) + " entries");
      }));
  progress.finish(grouped(facts.interactions) + " interactions");
  return absl::OkStatus();
}

training::InteractionSource TrainingInput::source() {
  return [this](const std::function<void(const training::Interaction&)>& take) {
    return for_each(take);
  };
}

std::uint64_t TrainingInput::interactions_at_most() const {
  return file_.empty() ? last_ : training::interactions_of_file(file_);
}

absl::StatusOr<std::vector<Product>> TrainingInput::products(const std::string& file,
                                                             const ProductLimits& limits) const {
  if (!file.empty()) return read_products(file, limits);
  if (database_ != nullptr) return catalog_products(*database_, limits);
  return std::vector<Product>();
}

training::DataSource TrainingInput::described() const {
  if (file_.empty()) return {.name = "log", .log_position_begin = 0, .log_position_end = last_};
  return {.name = std::filesystem::path(file_).filename().string(),
          .log_position_begin = 0,
          .log_position_end = 0};
}

}  // namespace vitrine::app
