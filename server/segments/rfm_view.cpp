#include "server/segments/rfm_view.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <vector>

#include "base/status.h"
#include "model/money.h"
#include "server/segments/rfm_standing.h"

namespace vitrine::segments {
namespace {

struct Row {
  RfmStanding then;
  RfmStanding now;
  std::uint32_t currency = 0;
};

Row row_of(const profiles::Profile& profile, TimeMs then_ms, TimeMs now_ms) {
  const std::vector<profiles::OrderSum> orders = profiles::orders_of(profile);
  const TimeMs first_ms = profile.events > 0 ? profile.first_seen_ms : now_ms;
  Row row{.then = standing_at(first_ms, orders, then_ms),
          .now = standing_at(first_ms, orders, now_ms)};
  for (const profiles::OrderSum& order : orders) {
    if (order.time_ms < now_ms && order.net.currency != 0) row.currency = order.net.currency;
  }
  return row;
}

RfmBounds bounds_of(const std::vector<Row>& rows, RfmStanding Row::* when, TimeMs time_ms) {
  std::vector<RfmFigures> buyers;
  for (const Row& row : rows) {
    if ((row.*when).figures) buyers.push_back(*(row.*when).figures);
  }
  return rfm_bounds(buyers, time_ms);
}

std::uint32_t main_currency(const std::vector<Row>& rows) {
  std::map<std::uint32_t, std::size_t> buyers;
  for (const Row& row : rows) {
    if (row.now.figures && row.currency != 0) ++buyers[row.currency];
  }
  const auto most =
      std::ranges::max_element(buyers, {}, [](const auto& one) { return one.second; });
  return most == buyers.end() ? 0 : most->first;
}

void add(RfmTally& tally, double spend) {
  ++tally.people;
  tally.spend += spend;
}

void add(const Row& row, double spend, RfmView& view) {
  const std::size_t group = group_of(row.now, view.bounds);
  add(view.groups.at(group), spend);
  view.spend += spend;
  if (!row.now.figures) return;
  const RfmScores scores = *rfm_scores(*row.now.figures, view.bounds);
  const auto place = [](int score) { return static_cast<std::size_t>(score - 1); };
  add(view.grid.at(place(scores.recency)).at(place(scores.frequency)), spend);
  add(view.cells.at(static_cast<std::size_t>(&rfm_cell_of(scores) - rfm_cells().data())), spend);
}

}  // namespace

absl::StatusOr<RfmView> rfm_view(const profiles::ProfileBook& profiles,
                                 const identity::IdentityBook& identities, TimeMs as_of_ms,
                                 TimeMs compared_to_ms) {
  std::vector<Row> rows;
  VITRINE_RETURN_IF_ERROR(profiles.walk([&](UserNumber user, const profiles::Profile& profile) {
    if (!identities.is_user(user)) return true;
    rows.push_back(row_of(profile, compared_to_ms, as_of_ms));
    if (!rows.back().now.is_known) rows.pop_back();
    return true;
  }));
  RfmView view{.as_of_ms = as_of_ms,
               .compared_to_ms = compared_to_ms,
               .bounds = bounds_of(rows, &Row::now, as_of_ms)};
  const RfmBounds bounds_then = bounds_of(rows, &Row::then, compared_to_ms);
  const std::uint32_t currency = main_currency(rows);
  view.currency = profiles::currency_of(currency);
  const double unit = std::pow(10.0, currency_digits(view.currency));
  for (const Row& row : rows) {
    const bool is_added = row.now.figures && row.currency == currency;
    add(row, is_added ? row.now.figures->monetary / unit : 0, view);
    if (row.then.is_known) {
      ++view.moved.at(group_of(row.then, bounds_then)).at(group_of(row.now, view.bounds));
    }
  }
  return view;
}

}  // namespace vitrine::segments
