// The desk of the crash rounds: one offer with a limit, and a small store.
#pragma once

#include <memory>
#include <string>

#include "base/check.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metrics.h"
#include "base/published.h"
#include "server/coupons/desk.h"
#include "tests/crash/crash_store.h"

namespace vitrine::crash {

constexpr std::int64_t k_uses = 4000;
constexpr std::string_view k_uses_account = "offer/ten/uses";

inline std::shared_ptr<const coupons::OfferBook> offer_book() {
  coupons::OfferBook book;
  book.put(coupons::Campaign{.id = "crash", .state = coupons::CampaignState::active, .version = 1});
  coupons::Offer offer{.id = "ten", .campaign = "crash", .code = "TEN", .version = 1};
  offer.amounts["*"] = {.currency = "EUR", .tiers = {{{5000}, {1000}}}};
  offer.limits = {{.value = k_uses}};
  book.put(std::move(offer));
  book.index();
  return std::make_shared<const coupons::OfferBook>(std::move(book));
}

inline coupons::Checkout checkout(std::string order) {
  return {.cart = {.lines = {{"a", "shirt", {4000}, 2}}, .currency = "EUR"},
          .order_id = std::move(order),
          .codes = {"TEN"},
          .request_hash = "same"};
}

// A desk with all it stands on.
struct OpenDesk {
  explicit OpenDesk(const std::string& folder)
      : database(store::Database::open(folder, store_options()).value()),
        identities(identity::IdentityBook::open(*database).value()),
        committer(*database, {}, clock, metrics, *log, {}),
        desk(coupons::Desk::open({.database = *database,
                                  .committer = committer,
                                  .identities = *identities,
                                  .catalog = *catalog,
                                  .offers = offers,
                                  .clock = clock,
                                  .metrics = metrics})
                 .value()) {}

  SystemClock clock;
  Metrics metrics;
  std::unique_ptr<Log> log = Log::silent();
  catalog::ProductNumbers numbers;
  std::unique_ptr<catalog::Catalog> catalog = catalog::Catalog::in_memory({}, numbers);
  Published<coupons::OfferBook> offers{offer_book()};
  std::unique_ptr<store::Database> database;
  std::unique_ptr<identity::IdentityBook> identities;
  events::Committer committer;
  std::unique_ptr<coupons::Desk> desk;
};

}  // namespace vitrine::crash
