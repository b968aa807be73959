#include "server/live_model/model_watcher.h"

#include <chrono>
#include <exception>
#include <future>
#include <utility>

#include "base/status.h"

namespace vitrine::live_model {
namespace {

absl::StatusOr<IndexedModel> read_and_index(const ModelRegistry& registry,
                                            const std::string& version,
                                            const IndexOptions& options) {
  try {
    VITRINE_ASSIGN_OR_RETURN(std::shared_ptr<const TrainedModel> model, registry.load(version));
    return index_model(std::move(model), options, registry.folder_of(version) / "graph.faiss");
  } catch (const std::exception& error) {
    return internal_error("model version '{}' cannot be loaded: {}", version, error.what());
  }
}

}  // namespace

ModelWatcher::Counters::Counters(Metrics& metrics)
    : loaded(metrics.counter("vitrine_live_model_loads_total", "Model versions loaded or refused.",
                             {{"result", "loaded"}})),
      refused(metrics.counter("vitrine_live_model_loads_total", "Model versions loaded or refused.",
                              {{"result", "refused"}})),
      load_seconds(metrics.gauge("vitrine_live_model_load_seconds",
                                 "Time the live model took to load, verify and index.")),
      recall(metrics.gauge("vitrine_live_model_index_recall_ratio",
                           "Share of the true nearest products that the index finds.")),
      model_rows(
          metrics.gauge("vitrine_live_model_rows", "Products with a vector.", {{"kind", "model"}})),
      tail_rows(
          metrics.gauge("vitrine_live_model_rows", "Products with a vector.", {{"kind", "tail"}})),
      showable_rows(metrics.gauge("vitrine_live_model_showable_rows",
                                  "Products with a vector that may be shown.")) {}

ModelWatcher::ModelWatcher(ModelRegistry registry, catalog::Catalog& catalog, Metrics& metrics,
                           Log& log, const Options& options, Early early)
    : registry_(std::move(registry)),
      catalog_(catalog),
      log_(log),
      options_(options),
      counters_(metrics),
      live_(std::make_shared<const LiveModel>()),
      early_(std::move(early)) {
  catalog_.on_change(
      [this](const std::shared_ptr<const catalog::CatalogSnapshot>& snapshot,
             std::span<const ProductNumber> changed) { apply_changes(*snapshot, changed); });
  // What this returns is in the log; the server serves without a model, too.
  look(false).IgnoreError();
  thread_ = std::thread([this] { run(); });
}

ModelWatcher::Early ModelWatcher::begin_early(const ModelRegistry& registry,
                                              const IndexOptions& index) {
  absl::StatusOr<std::optional<std::string>> promoted = registry.current();
  if (!promoted.ok() || !promoted->has_value()) return {};  // the watcher says what is wrong
  std::string version = **std::move(promoted);
  auto model = std::async(std::launch::async, [registry, version, index] {
    return read_and_index(registry, version, index);
  });
  return {std::move(version), std::move(model)};
}

ModelWatcher::~ModelWatcher() {
  {
    const std::lock_guard lock(waking_);
    is_stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
  for (const Done& done : asked_) done(unavailable("the server is stopping"));
}

void ModelWatcher::refresh(Done done) {
  {
    const std::lock_guard lock(waking_);
    asked_.push_back(std::move(done));
  }
  wake_.notify_all();
}

absl::StatusOr<std::string> ModelWatcher::refresh_and_wait() {
  std::promise<absl::StatusOr<std::string>> promise;
  std::future<absl::StatusOr<std::string>> answer = promise.get_future();
  refresh(
      [&promise](absl::StatusOr<std::string> version) { promise.set_value(std::move(version)); });
  return answer.get();
}

void ModelWatcher::run() {
  std::unique_lock lock(waking_);
  while (!is_stopping_) {
    wake_.wait_for(lock, std::chrono::milliseconds(options_.poll_ms),
                   [&] { return is_stopping_ || !asked_.empty(); });
    if (is_stopping_) return;
    const std::vector<Done> asked = std::exchange(asked_, {});
    lock.unlock();
    const absl::StatusOr<std::string> version = look(!asked.empty());
    for (const Done& done : asked) done(version);
    lock.lock();
  }
}

absl::StatusOr<std::string> ModelWatcher::look(bool retry_refused) {
  const absl::StatusOr<std::optional<std::string>> promoted = registry_.current();
  const std::string complaint = promoted.ok() ? "" : promoted.status().ToString();
  if (complaint != registry_complaint_ && !complaint.empty()) {
    log_.error("model registry cannot be read: {}", complaint);
  }
  registry_complaint_ = complaint;
  if (!promoted.ok()) return promoted.status();

  std::string live = current()->version();
  if (!promoted->has_value() || **promoted == live) return live;
  const std::string& version = **promoted;
  if (version == refused_version_ && !retry_refused) {
    return failed_precondition("model version '{}' was refused before", version);
  }
  if (absl::Status status = load(version); !status.ok()) {
    refused_version_ = version;
    counters_.refused.add();
    log_.error("model refused version={} live={} reason=\"{}\"", version, live, message_of(status));
    return status;
  }
  refused_version_.clear();
  return version;
}

absl::Status ModelWatcher::load(const std::string& version) {
  const std::int64_t begun_us = steady_us();
  std::shared_ptr<const catalog::CatalogSnapshot> snapshot;
  {
    const std::lock_guard lock(changing_);
    changed_while_loading_.emplace();
    snapshot = catalog_.current();
  }
  absl::StatusOr<LiveModelBuilder> builder = build(version, *snapshot);

  const std::lock_guard lock(changing_);
  const std::vector<ProductNumber> changed = *std::exchange(changed_while_loading_, std::nullopt);
  if (!builder.ok()) return builder.status();
  builder->apply(*catalog_.current(), changed);
  builder_ = *std::move(builder);
  publish(builder_->current());

  tell_of(version, static_cast<double>(steady_us() - begun_us) / 1e6);
  return absl::OkStatus();
}

void ModelWatcher::tell_of(const std::string& version, double seconds) {
  const LiveModelBuilder::IndexFacts& index = builder_->index_facts();
  counters_.loaded.add();
  counters_.load_seconds.set(seconds);
  counters_.recall.set(index.recall);
  log_.info(
      "model live version={} rows={} tail_rows={} index={} from={} index_recall={:.4f} "
      "seconds={:.3f}",
      version, builder_->current()->model_row_count(),
      builder_->current()->row_count() - builder_->current()->model_row_count(),
      index::name_of(index.kind), index.is_read ? "file" : "vectors", index.recall, seconds);
}

absl::StatusOr<LiveModelBuilder> ModelWatcher::build(const std::string& version,
                                                     const catalog::CatalogSnapshot& snapshot) {
  Early early = std::exchange(early_, {});
  const bool is_begun = early.model.valid() && early.version == version;
  absl::StatusOr<IndexedModel> indexed =
      is_begun ? early.model.get() : read_and_index(registry_, version, options_.index);
  if (!indexed.ok()) return indexed.status();
  try {
    return LiveModelBuilder::of(*std::move(indexed), catalog_.numbers(), snapshot);
  } catch (const std::exception& error) {
    return internal_error("model version '{}' cannot be loaded: {}", version, error.what());
  }
}

void ModelWatcher::apply_changes(const catalog::CatalogSnapshot& snapshot,
                                 std::span<const ProductNumber> changed) {
  const std::lock_guard lock(changing_);
  if (changed_while_loading_) {
    changed_while_loading_->insert(changed_while_loading_->end(), changed.begin(), changed.end());
  }
  if (!builder_) return;
  builder_->apply(snapshot, changed);
  publish(builder_->current());
}

void ModelWatcher::publish(std::shared_ptr<const LiveModel> next) {
  counters_.model_rows.set(static_cast<double>(next->model_row_count()));
  counters_.tail_rows.set(static_cast<double>(next->row_count() - next->model_row_count()));
  counters_.showable_rows.set(static_cast<double>(next->showable().count()));
  live_.publish(std::move(next));
}

}  // namespace vitrine::live_model
