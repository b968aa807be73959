#include "server/profiles/profile_records.h"

#include <boost/json.hpp>
#include <utility>

#include "base/status.h"
#include "server/events/replacements.h"
#include "server/profiles/removed_traits.h"

namespace vitrine::profiles {
namespace {

namespace json = boost::json;

json::object json_of(const Profile& profile, const catalog::ProductNumbers& numbers) {
  json::object traits;
  for (const Trait& trait : profile.traits) {
    if (is_removed(trait)) continue;
    json::error_code error;
    json::value value = json::parse(trait.value, error);
    traits[trait.name] = error ? json::value(trait.value) : std::move(value);
  }
  json::array recent;
  for (const ProfileEvent& event : profile.recent) {
    recent.push_back({{"type", name_of(event.type)},
                      {"product_id", numbers.id_of(event.product)},
                      {"time", format_time(event.time_ms)}});
  }
  json::array seen;
  for (const Seen& sight : profile.seen) {
    seen.push_back(
        {{"product_id", numbers.id_of(sight.product)}, {"time", format_time(sight.time_ms)}});
  }
  json::array bought;
  for (const Bought& product : profile.bought) {
    bought.push_back({{"product_id", numbers.id_of(product.product)},
                      {"purchases", product.purchases},
                      {"refunds", product.refunds},
                      {"last_at", format_time(product.last_ms)}});
  }
  json::array orders;
  for (const OrderSum& order : orders_of(profile)) {
    orders.push_back({{"time", format_time(order.time_ms)},
                      {"net_minor", order.net.minor},
                      {"currency", currency_of(order.net.currency)}});
  }
  json::array deeds;
  for (const DeedsOfMinute& minute : profile.deeds) {
    deeds.push_back({{"type", name_of(minute.type)},
                     {"time", format_time(static_cast<TimeMs>(minute.minute) * k_minute_ms)},
                     {"count", minute.count}});
  }
  json::array channels;
  for (const ChannelUse& use : profile.channels) {
    channels.push_back(
        {{"channel", use.name}, {"events", use.events}, {"last_at", format_time(use.last_ms)}});
  }
  return {{"traits", std::move(traits)},
          {"events_count", profile.events},
          {"orders_count", profile.orders},
          {"first_seen_at", format_time(profile.first_seen_ms)},
          {"last_seen_at", format_time(profile.last_seen_ms)},
          {"recent", std::move(recent)},
          {"seen", std::move(seen)},
          {"bought", std::move(bought)},
          {"orders", std::move(orders)},
          {"deeds", std::move(deeds)},
          {"channels", std::move(channels)}};
}

}  // namespace

absl::StatusOr<std::string> ProfileRecords::export_person(
    const events::DataSubject& subject) const {
  json::array profiles;
  for (const UserNumber number : subject.histories) {
    if (const auto profile = book_.find(number)) profiles.push_back(json_of(*profile, numbers_));
  }
  return json::serialize(profiles);
}

absl::StatusOr<events::Erased> ProfileRecords::erase_person(const events::DataSubject& subject,
                                                            events::Committer& committer) {
  const Erasure gone{.people = subject.everybody(), .sessions = {}};
  events::Erased erased;
  for (const UserNumber number : gone.people) {
    if (book_.find(number) != nullptr) ++erased.dropped;
  }
  VITRINE_RETURN_IF_ERROR(events::submit_patiently(committer, [&](events::Batch& batch) {
    batch.append({.user = k_nobody, .visitor = k_nobody, .source = {}, .what = gone});
    return absl::OkStatus();
  }));
  return erased;
}

}  // namespace vitrine::profiles
