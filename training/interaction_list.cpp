#include "training/interaction_list.h"

#include <algorithm>

namespace vitrine::training {
namespace {

std::string_view text_of(const TextNumbers& texts, std::uint32_t number) {
  return texts.texts()[number];
}

}  // namespace

void InteractionList::add(const Interaction& interaction) {
  records_.push_back({.time_ms = interaction.time_ms,
                      .weight = interaction.weight,
                      .user = users_.number(interaction.user),
                      .product = products_.number(interaction.product),
                      .order = orders_.number(interaction.order),
                      .session = sessions_.number(interaction.session),
                      .market = markets_.number(interaction.market),
                      .quantity = pieces_of(interaction),
                      .type = interaction.type});
}

void InteractionList::for_each(const std::function<void(const Interaction&)>& take) const {
  for (const Record& record : records_) {
    take({.user = text_of(users_, record.user),
          .product = text_of(products_, record.product),
          .order = text_of(orders_, record.order),
          .type = record.type,
          .time_ms = record.time_ms,
          .session = text_of(sessions_, record.session),
          .market = text_of(markets_, record.market),
          .quantity = record.quantity,
          .weight = record.weight});
  }
}

std::pair<TimeMs, TimeMs> InteractionList::time_span() const {
  if (records_.empty()) return {0, 0};
  const auto [oldest, newest] =
      std::minmax_element(records_.begin(), records_.end(),
                          [](const Record& a, const Record& b) { return a.time_ms < b.time_ms; });
  return {oldest->time_ms, newest->time_ms};
}

TimeMs InteractionList::time_at(double share) const {
  const auto [oldest, newest] = time_span();
  return oldest + static_cast<TimeMs>(share * static_cast<double>(newest - oldest));
}

}  // namespace vitrine::training
