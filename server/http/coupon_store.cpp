#include "server/http/coupon_store.h"

#include <set>
#include <utility>

#include "base/status.h"
#include "server/coupons/code.h"
#include "server/events/function_command.h"
#include "server/http/campaign_json.h"
#include "server/http/offer_json.h"
#include "server/store/key.h"

namespace vitrine::http {
namespace {

using coupons::Campaign;
using coupons::Offer;
using coupons::OfferBook;
using store::Family;

constexpr std::size_t k_stored_depth_max = 16;
constexpr std::string_view k_last_version_key = "#last_version";
constexpr std::size_t k_version_bytes = 8;

std::string campaign_key(std::string_view id) { return "c" + std::string(id); }
std::string offer_key(const Offer& offer) {
  return "o" + offer.id + '\0' + store::key_of(offer.version);
}
// Which offers there are now; versions of others are for grants only.
std::string present_key(std::string_view id) { return "p" + std::string(id); }

std::string encode(const Campaign& campaign) {
  std::string bytes;
  JsonWriter json(bytes);
  // Its state as it was set, whatever the time is.
  append_campaign(json, campaign, campaign.start_ms);
  return bytes;
}

std::string encode(const Offer& offer) {
  std::string bytes;
  JsonWriter json(bytes);
  append_offer(json, offer);
  return bytes;
}

void stage(events::Batch& batch, const Campaign& campaign) {
  batch.put(Family::coupons, campaign_key(campaign.id), encode(campaign));
}
void stage(events::Batch& batch, const Offer& offer) {
  batch.put(Family::coupons, offer_key(offer), encode(offer));
  batch.put(Family::coupons, present_key(offer.id), "");
}

std::shared_ptr<const Campaign> current_of(const OfferBook& book, const Campaign& campaign) {
  return book.campaign(campaign.id);
}
std::shared_ptr<const Offer> current_of(const OfferBook& book, const Offer& offer) {
  return book.offer(offer.id);
}

absl::Status check_version(CouponStore::Expected expected, std::uint64_t actual) {
  if (!expected || *expected == actual) return absl::OkStatus();
  return conflict("If-Match expects version {}, the current version is {}", *expected, actual);
}

absl::StatusOr<std::uint64_t> next_version(const events::Batch& batch) {
  VITRINE_ASSIGN_OR_RETURN(const std::optional<std::string> stored,
                           batch.get(Family::coupons, k_last_version_key));
  return stored ? store::number_in(*stored).value_or(0) + 1 : 1;
}

absl::Status read_into(OfferBook& book, std::set<std::string>& present, std::string_view key,
                       std::string_view value) {
  const std::string_view rest = key.substr(1);
  if (key.front() == 'c') {
    auto campaign = campaign_from_json(value, rest, k_stored_depth_max);
    if (!campaign.ok()) {
      return data_loss("campaign {} cannot be read: {}", rest, message_of(campaign.status()));
    }
    book.put(*std::move(campaign));
  } else if (key.front() == 'o') {
    const std::string_view id = rest.substr(0, rest.size() - k_version_bytes - 1);
    auto offer = offer_from_json(value, id, k_stored_depth_max);
    if (!offer.ok()) {
      return data_loss("offer {} cannot be read: {}", id, message_of(offer.status()));
    }
    book.put(*std::move(offer));
  } else if (key.front() == 'p') {
    present.emplace(rest);
  }
  return absl::OkStatus();
}

}  // namespace

CouponStore::CouponStore(OfferBook first)
    : book_(std::make_shared<const OfferBook>(std::move(first))) {}

absl::StatusOr<std::unique_ptr<CouponStore>> CouponStore::open(const store::Database& database) {
  OfferBook book;
  std::set<std::string> present;
  const auto cursor = database.walk(Family::coupons, "", false);
  for (; cursor->valid(); cursor->next()) {
    VITRINE_RETURN_IF_ERROR(read_into(book, present, cursor->key(), cursor->value()));
  }
  VITRINE_RETURN_IF_ERROR(cursor->status());
  std::vector<std::string> gone;
  for (const auto& [id, offer] : book.offers()) {
    if (!present.contains(id)) gone.push_back(id);
  }
  for (const std::string& id : gone) book.drop_offer(id);
  book.index();
  return std::unique_ptr<CouponStore>(new CouponStore(std::move(book)));
}

OfferBook& CouponStore::staged_in(events::Batch& batch) {
  return batch.staged_by<OfferBook>(this, [&] {
    auto staged = std::make_shared<OfferBook>(*current());
    batch.after_sync([this, staged] { book_.publish(std::make_shared<const OfferBook>(*staged)); });
    return staged;
  });
}

absl::Status CouponStore::check(const OfferBook& book, const Campaign& campaign,
                                Expected expected) {
  const auto current = book.campaign(campaign.id);
  VITRINE_RETURN_IF_ERROR(check_version(expected, current ? current->version : 0));
  if (!current && book.campaigns().size() >= OfferBook::k_campaigns_max) {
    return failed_precondition("there are {} campaigns, at most {} may be", book.campaigns().size(),
                               OfferBook::k_campaigns_max);
  }
  return absl::OkStatus();
}

absl::Status CouponStore::check(const OfferBook& book, const Offer& offer, Expected expected) {
  const auto current = book.offer(offer.id);
  VITRINE_RETURN_IF_ERROR(check_version(expected, current ? current->version : 0));
  if (!book.campaign(offer.campaign)) {
    return invalid_argument("campaign {} does not exist: make it first", offer.campaign);
  }
  if (!offer.code.empty()) {
    const auto other = book.offer_of_code(coupons::normalized_code(offer.code));
    if (other && other->id != offer.id) {
      return invalid_argument("code {} is the one of offer {} already", offer.code, other->id);
    }
  }
  const bool is_one_more = offer.trigger == coupons::Trigger::automatic &&
                           (!current || current->trigger != coupons::Trigger::automatic);
  if (is_one_more && book.automatic().size() >= OfferBook::k_automatic_max) {
    return failed_precondition("there are {} automatic offers, at most {} may be",
                               book.automatic().size(), OfferBook::k_automatic_max);
  }
  if (book.version_count() >= OfferBook::k_versions_max) {
    return failed_precondition("there are {} versions of offers, at most {} may be",
                               book.version_count(), OfferBook::k_versions_max);
  }
  return absl::OkStatus();
}

template <class T>
absl::Status CouponStore::submit_put(events::Committer& committer, T object, Expected expected,
                                     OnPut<T> done) {
  const auto outcome = std::make_shared<Put<T>>(Put<T>{.object = std::move(object)});
  const auto run = [this, outcome, expected](events::Batch& batch) -> absl::Status {
    OfferBook& book = staged_in(batch);
    VITRINE_RETURN_IF_ERROR(check(book, outcome->object, expected));
    outcome->is_new = current_of(book, outcome->object) == nullptr;
    VITRINE_ASSIGN_OR_RETURN(outcome->object.version, next_version(batch));
    outcome->object.changed_ms = batch.time_ms();
    stage(batch, outcome->object);
    batch.put(Family::coupons, k_last_version_key, store::key_of(outcome->object.version));
    book = book.with(outcome->object);
    return absl::OkStatus();
  };
  const auto answer = [outcome, done = std::move(done)](const absl::Status& status) {
    status.ok() ? done(std::move(*outcome)) : done(status);
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(run, answer));
}

absl::Status CouponStore::put(events::Committer& committer, Campaign campaign, Expected expected,
                              OnPut<Campaign> done) {
  return submit_put(committer, std::move(campaign), expected, std::move(done));
}

absl::Status CouponStore::put(events::Committer& committer, Offer offer, Expected expected,
                              OnPut<Offer> done) {
  return submit_put(committer, std::move(offer), expected, std::move(done));
}

absl::Status CouponStore::remove_campaign(events::Committer& committer, std::string id,
                                          Expected expected,
                                          std::function<void(absl::Status)> done) {
  const auto run = [this, id = std::move(id), expected](events::Batch& batch) -> absl::Status {
    OfferBook& book = staged_in(batch);
    const auto current = book.campaign(id);
    if (!current) return not_found("there is no campaign {}", id);
    VITRINE_RETURN_IF_ERROR(check_version(expected, current->version));
    for (const auto& [offer_id, offer] : book.offers()) {
      if (offer->campaign != id) continue;
      return failed_precondition("campaign {} cannot be removed: it has the offer {}", id,
                                 offer_id);
    }
    batch.erase(Family::coupons, campaign_key(id));
    book = book.without_campaign(id);
    return absl::OkStatus();
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(run, std::move(done)));
}

absl::Status CouponStore::remove_offer(events::Committer& committer, std::string id,
                                       Expected expected, std::function<void(absl::Status)> done) {
  const auto run = [this, id = std::move(id), expected](events::Batch& batch) -> absl::Status {
    OfferBook& book = staged_in(batch);
    const auto current = book.offer(id);
    if (!current) return not_found("there is no offer {}", id);
    VITRINE_RETURN_IF_ERROR(check_version(expected, current->version));
    batch.erase(Family::coupons, present_key(id));
    book = book.without_offer(id);
    return absl::OkStatus();
  };
  return committer.submit(std::make_unique<events::FunctionCommand>(run, std::move(done)));
}

}  // namespace vitrine::http
