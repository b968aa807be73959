// Whose word on an order holds: the browser and the backend may both tell of it, under different
// message ids.
//
// A secret key's word is better than a public one's, then the later event time is; of equal ones
// the first stays. Thread-safe for reading; staging on the committer thread.
#pragma once

#include <absl/status/statusor.h>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/event.h"
#include "model/ids.h"
#include "server/events/committer.h"
#include "server/events/personal_data.h"
#include "server/identity/identity_book.h"
#include "server/store/database.h"

namespace vitrine::collect {

class OrderBook final : public events::PersonalData {
 public:
  explicit OrderBook(const store::Database& database) : database_(database) {}  // outlives it

  // Whether the event is about an order: a purchase, refund or cancel that names one.
  static bool is_about_order(const Event& event);
  // Reads ahead, so that place() does not fail: what reading the store gave.
  absl::Status look_up(const events::Batch& batch, const Event& event) const;

  // Gives a purchase its place, and what takes an order back the person who has it. May append an
  // OrderTakeover before the event.
  void place(events::Batch& batch, identity::IdentityBook& identities, std::string_view source,
             identity::Who& who, Event& event) const;

  std::string_view name() const override { return "orders"; }
  std::vector<store::Family> families() const override { return {store::Family::orders}; }
  // [{"time", ...}]: an order is known by a hash here; the log names it.
  absl::StatusOr<std::string> export_person(const events::DataSubject& subject) const override;
  // Orders stay, and are nobody's.
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& subject,
                                              events::Committer& committer) override;

 private:
  struct Known;
  // The known ones of the person, with their key and how they are stored.
  absl::Status for_each_of(
      const events::DataSubject& subject,
      const std::function<absl::Status(std::string_view key, std::string_view stored,
                                       const Known& known)>& visit) const;
  static std::optional<Known> decode(std::string_view stored);
  std::optional<Known> find(const events::Batch& batch, std::string_view key) const;
  void place_purchase(events::Batch& batch, identity::IdentityBook& identities,
                      std::string_view key, const Known& mine, Event& event) const;

  const store::Database& database_;
};

}  // namespace vitrine::collect
