// What somebody is doing right now, as expressions see it: session, cart, and where they are.
//
// A SituationSubject works out what is asked for, once, and is asked from one thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "model/money.h"
#include "model/product.h"
#include "server/expressions/schema.h"

namespace vitrine::segments {

// session.*, cart.* and context.*.
const expressions::Schema& situation_schema();

// A value of views: what it names outlives it.
struct Situation {
  static constexpr int k_utc_offset_minutes_max = 14 * 60;  // either way

  struct Seen {
    std::string_view product_id;
    const Product* product = nullptr;  // null: the catalog does not know it
  };
  struct Line {
    std::string_view product_id;
    const Product* product = nullptr;
    double quantity = 1;
    std::optional<Money> price = {};  // of one piece; nothing: the catalog's
    std::string_view currency = {};   // of that price
  };

  std::vector<Seen> session = {};  // products looked at, oldest first
  std::vector<Line> cart = {};
  std::string_view placement = {};
  std::string_view product_id = {};  // of the page
  std::string_view category = {};    // likewise
  std::string_view channel = {};
  std::string_view device = {};
  std::string_view market = {};
  std::string_view country = {};
  std::string_view query = {};  // what they search for
  TimeMs now_ms = 0;
  int utc_offset_minutes = 0;  // of the clock on their wall
};

class SituationSubject final : public expressions::Subject {
 public:
  explicit SituationSubject(Situation situation) : situation_(std::move(situation)) {}

  const Situation& situation() const { return situation_; }

  std::optional<bool> boolean(std::size_t slot) const override;
  std::optional<double> number(std::size_t slot) const override;
  std::optional<std::string_view> text(std::size_t slot) const override;
  std::span<const std::string> texts(std::size_t slot) const override;
  std::optional<std::string_view> entry(std::size_t slot, std::string_view key) const override;
  std::size_t entry_count(std::size_t slot) const override;
  TimeMs changes_at_ms(std::size_t slot) const override;

 private:
  // Each text once, in order.
  struct Lists {
    std::vector<std::string> products;
    std::vector<std::string> categories;
    std::vector<std::string> brands;
  };
  const Lists& session() const;
  const Lists& cart() const;
  std::string_view cart_currency() const;
  std::optional<double> subtotal() const;
  TimeMs local_ms() const;

  const Situation situation_;
  mutable std::optional<Lists> session_;
  mutable std::optional<Lists> cart_;
};

}  // namespace vitrine::segments
