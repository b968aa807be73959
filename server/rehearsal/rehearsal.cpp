#include "server/rehearsal/rehearsal.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "base/status.h"
#include "model/log_entry.h"
#include "server/live_model/live_model_builder.h"

namespace vitrine::rehearsal {

// One model that never changes.
class Rehearsal::Model final : public live_model::LiveModelSource {
 public:
  explicit Model(std::shared_ptr<const live_model::LiveModel> live) : live_(std::move(live)) {}
  std::shared_ptr<const live_model::LiveModel> current() const override { return live_; }

 private:
  std::shared_ptr<const live_model::LiveModel> live_;
};

Rehearsal::Rehearsal(TimeMs now_ms, IsAsked is_asked)
    : clock_(now_ms),
      is_asked_(std::move(is_asked)),
      profiles_(numbers_),
      popularity_(numbers_),
      sessions_(numbers_),
      identities_(identity::IdentityBook::of_nobody()) {}
Rehearsal::~Rehearsal() = default;

void Rehearsal::take(const training::Interaction& interaction) {
  if (interaction.time_ms >= clock_.now_ms()) return;
  LogEntry entry{.position = ++position_,
                 .user = k_nobody,
                 .visitor = k_nobody,
                 .committed_ms = interaction.time_ms,
                 .source = {},
                 .what = {}};
  Event event;
  event.event_id = std::to_string(position_);
  event.type = interaction.type;
  event.time_ms = interaction.time_ms;
  event.session_id = interaction.session;
  event.order_id = interaction.order;
  event.product_id = interaction.product;
  event.market = interaction.market;
  if (!interaction.user.empty()) {
    const auto number = static_cast<std::uint32_t>(users_.size() + 1);
    entry.user = users_.try_emplace(std::string(interaction.user), number).first->second;
  }
  entry.what = std::move(event);
  popularity_.apply(entry);
  sessions_.apply(entry);
  if (!is_asked_ || is_asked_(interaction.user)) profiles_.apply(entry);
}

absl::Status Rehearsal::open(std::vector<Product> catalog,
                             std::shared_ptr<const TrainedModel> model,
                             recommend::PlacementBook placements) {
  std::erase_if(catalog, [&](const Product& product) {
    return product.created_at_ms > clock_.now_ms() && !numbers_.find(product.product_id);
  });
  catalog_ = catalog::Catalog::in_memory(std::move(catalog), numbers_);
  VITRINE_ASSIGN_OR_RETURN(
      const live_model::LiveModelBuilder builder,
      live_model::LiveModelBuilder::create(std::move(model), numbers_, *catalog_->current()));
  model_ = std::make_unique<Model>(builder.current());
  recommender_.emplace(recommend::Recommender::Parts{.identities = *identities_,
                                                     .profiles = profiles_,
                                                     .popularity = popularity_,
                                                     .sessions = sessions_,
                                                     .catalog = *catalog_,
                                                     .live_model = *model_,
                                                     .clock = clock_,
                                                     .metrics = metrics_,
                                                     // What it says must not depend on the machine.
                                                     .deadline_ms = k_day_ms},
                       std::move(placements));
  return absl::OkStatus();
}

UserNumber Rehearsal::user(std::string_view text) const {
  const auto found = users_.find(text);
  return found == users_.end() ? k_nobody : found->second;
}

const recommend::Recommender& Rehearsal::recommender() const {
  CHECK(recommender_.has_value(), "a rehearsal is opened before it is asked");
  return *recommender_;
}

}  // namespace vitrine::rehearsal
