// The campaigns and offers of a data folder.
//
// Every version of an offer stays, because grants are given on one. A change is durable and in the
// next answer before it is acknowledged. Thread-safe.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/published.h"
#include "server/coupons/offer_book.h"
#include "server/events/committer.h"
#include "server/store/database.h"

namespace vitrine::http {

class CouponStore {
 public:
  // DataLoss when something cannot be read.
  static absl::StatusOr<std::unique_ptr<CouponStore>> open(const store::Database& database);

  const Published<coupons::OfferBook>& book() const { return book_; }
  std::shared_ptr<const coupons::OfferBook> current() const { return book_.current(); }

  // The version a change was made from; a conflict when it is another one by now. 0: there is none.
  using Expected = std::optional<std::uint64_t>;
  template <class T>
  struct Put {
    T object;
    bool is_new = false;
  };
  template <class T>
  using OnPut = std::function<void(absl::StatusOr<Put<T>>)>;
  // `done` is called once, on the committer thread, unless the call itself fails (queue full). The
  // version is decided here. Precondition: the object passes validate().
  absl::Status put(events::Committer& committer, coupons::Campaign campaign, Expected expected,
                   OnPut<coupons::Campaign> done);
  absl::Status put(events::Committer& committer, coupons::Offer offer, Expected expected,
                   OnPut<coupons::Offer> done);
  // FailedPrecondition while the campaign has offers.
  absl::Status remove_campaign(events::Committer& committer, std::string id, Expected expected,
                               std::function<void(absl::Status)> done);
  // Grants on it cannot be used any more.
  absl::Status remove_offer(events::Committer& committer, std::string id, Expected expected,
                            std::function<void(absl::Status)> done);

  // Whether a change fits what there is.
  static absl::Status check(const coupons::OfferBook& book, const coupons::Campaign& campaign,
                            Expected expected);
  static absl::Status check(const coupons::OfferBook& book, const coupons::Offer& offer,
                            Expected expected);

 private:
  explicit CouponStore(coupons::OfferBook first);
  coupons::OfferBook& staged_in(events::Batch& batch);
  template <class T>
  absl::Status submit_put(events::Committer& committer, T object, Expected expected, OnPut<T> done);

  Published<coupons::OfferBook> book_;
};

}  // namespace vitrine::http
