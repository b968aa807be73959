// Keeps the live model current: loads what the registry promotes, follows what the catalog changes.
//
// One thread of its own looks at the registry, verifies and loads a newly promoted version and
// builds its index, while requests go on with the old one; then the two are swapped. A version that
// does not pass is refused, logged, counted and not tried again until another one is promoted or
// somebody asks; the old one stays. Catalog changes are applied on the thread that reports them,
// before it goes on, and those that arrive during a load are applied before the swap. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/published.h"
#include "model/model_registry.h"
#include "server/catalog/catalog.h"
#include "server/live_model/live_model.h"
#include "server/live_model/live_model_builder.h"

namespace vitrine::live_model {

class ModelWatcher final : public LiveModelSource {
 public:
  struct Options {
    TimeMs poll_ms = 200;  // between two looks at the registry, 10 to an hour
    IndexOptions index;
  };

  // A model that is being read and indexed on a thread of its own.
  struct Early {
    std::string version;  // empty: none is promoted
    std::future<absl::StatusOr<IndexedModel>> model;
  };
  // Begins with the promoted version: a start reads its store meanwhile.
  static Early begin_early(const ModelRegistry& registry, const IndexOptions& index = {});

  // Loads the current version before it returns, so that a server that is up has its model. Without
  // one, or with one that is refused, the live model is empty and serving falls back to popularity.
  // Registers with the catalog, which makes no change before that. All parts outlive the watcher,
  // and no catalog change may come after its end.
  // early  of the same registry and index options
  ModelWatcher(ModelRegistry registry, catalog::Catalog& catalog, Metrics& metrics, Log& log,
               const Options& options, Early early = {});
  ~ModelWatcher() override;  // ends the thread; refreshes still waiting are answered Unavailable
  ModelWatcher(const ModelWatcher&) = delete;
  ModelWatcher& operator=(const ModelWatcher&) = delete;

  std::shared_ptr<const LiveModel> current() const override { return live_.current(); }

  // What is live afterwards (empty: no model), or why the promoted version was refused.
  using Done = std::function<void(absl::StatusOr<std::string>)>;
  // Looks at the registry at once; `done` is called once, on the watcher's thread, and must be
  // quick.
  void refresh(Done done);
  // Not from `done`.
  absl::StatusOr<std::string> refresh_and_wait();

 private:
  struct Counters {
    explicit Counters(Metrics& metrics);
    Counter& loaded;
    Counter& refused;
    Gauge& load_seconds;
    Gauge& recall;
    Gauge& model_rows;
    Gauge& tail_rows;
    Gauge& showable_rows;
  };

  void run();
  absl::StatusOr<std::string> look(bool retry_refused);
  absl::Status load(const std::string& version);
  void tell_of(const std::string& version, double seconds);
  absl::StatusOr<LiveModelBuilder> build(const std::string& version,
                                         const catalog::CatalogSnapshot& snapshot);
  void apply_changes(const catalog::CatalogSnapshot& snapshot,
                     std::span<const ProductNumber> changed);
  void publish(std::shared_ptr<const LiveModel> next);

  const ModelRegistry registry_;
  catalog::Catalog& catalog_;
  Log& log_;
  const Options options_;
  Counters counters_;

  Published<LiveModel> live_;

  std::mutex changing_;                      // held by whoever publishes
  std::optional<LiveModelBuilder> builder_;  // empty while there is no model
  // Empty when no load is under way.
  std::optional<std::vector<ProductNumber>> changed_while_loading_;

  Early early_;  // until its first use; of the watcher's thread, as are the next
  std::string refused_version_;
  std::string registry_complaint_;

  std::mutex waking_;
  std::condition_variable wake_;
  std::vector<Done> asked_;
  bool is_stopping_ = false;
  std::thread thread_;
};

}  // namespace vitrine::live_model
