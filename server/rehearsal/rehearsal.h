// The server as it was at one moment: the real books, catalog, live model and recommender, filled
// from interactions, without a store and without HTTP.
//
// What is learnt or judged here is therefore what serves; the two cannot drift apart. People are
// numbered in the order of their coming. Filled on one thread; const methods may then run at the
// same time from any thread.
#pragma once

#include <absl/status/statusor.h>

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/string_map.h"
#include "model/product.h"
#include "model/trained_model.h"
#include "server/catalog/catalog.h"
#include "server/identity/identity_book.h"
#include "server/live_model/live_model.h"
#include "server/profiles/popularity_book.h"
#include "server/profiles/profile_book.h"
#include "server/profiles/session_book.h"
#include "server/recommend/recommender.h"
#include "training/interaction.h"

namespace vitrine::rehearsal {

class Rehearsal {
 public:
  // Whose history is kept, by Interaction::user; everybody counts for what is popular. Empty:
  // everybody's.
  using IsAsked = std::function<bool(std::string_view user)>;

  explicit Rehearsal(TimeMs now_ms, IsAsked is_asked = {});
  ~Rehearsal();
  Rehearsal(const Rehearsal&) = delete;
  Rehearsal& operator=(const Rehearsal&) = delete;

  // What happened at the moment or after it is not taken in.
  void take(const training::Interaction& interaction);

  // After the last take(), before the first question. Products that were made after the moment and
  // that nobody had touched by then are not in the shop yet. The model is taken as it is: it must
  // not have seen more.
  // Errors   InvalidArgument: the model's vectors make no index
  absl::Status open(std::vector<Product> catalog, std::shared_ptr<const TrainedModel> model,
                    recommend::PlacementBook placements);

  // Time goes on: what happens up to here may be taken in, one entry after the other, and is in the
  // next answer.
  void go_on_to(TimeMs now_ms) { clock_.set(now_ms); }

  // k_nobody for somebody who did nothing yet.
  UserNumber user(std::string_view text) const;
  // Precondition, checked: open() was called.
  const recommend::Recommender& recommender() const;
  const catalog::ProductNumbers& numbers() const { return numbers_; }
  TimeMs now_ms() const { return clock_.now_ms(); }

 private:
  class Model;

  FakeClock clock_;
  IsAsked is_asked_;
  Metrics metrics_;
  StringMap<UserNumber> users_;
  Position position_ = 0;
  catalog::ProductNumbers numbers_;
  profiles::ProfileBook profiles_;
  profiles::PopularityBook popularity_;
  profiles::SessionBook sessions_;
  std::unique_ptr<identity::IdentityBook> identities_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Model> model_;
  std::optional<recommend::Recommender> recommender_;
};

}  // namespace vitrine::rehearsal
