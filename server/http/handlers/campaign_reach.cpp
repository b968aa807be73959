#include "server/http/handlers/campaign_reach.h"

#include <fmt/format.h>

#include <string>

#include "server/coupons/assignment.h"
#include "server/coupons/desk.h"
#include "server/segments/segment_programs.h"

namespace vitrine::http {
namespace {

// Of four weeks, after which a campaign is judged.
constexpr std::string_view k_buys = R"(count("purchase", "28d") >= 1)";

// Nothing for an expression that cannot be asked.
std::optional<double> people_for(const Services& services, const std::string& expression) {
  const auto program = segments::compile_for_people(expression);
  if (!program.ok()) return std::nullopt;
  const auto found = services.segment_engine.preview(*program, false);
  return found.ok() ? std::optional(found->estimate) : std::nullopt;
}

}  // namespace

void append_detectable_effect(JsonWriter& json, const Services& services,
                              const coupons::Campaign& campaign) {
  json.key("detectable_effect");
  const std::string& audience = campaign.audience;
  const std::optional<double> people =
      audience.empty() ? std::optional(static_cast<double>(services.identities.user_count()))
                       : people_for(services, audience);
  const std::optional<double> buyers =
      people_for(services, audience.empty() ? std::string(k_buys)
                                            : fmt::format("({}) && {}", audience, k_buys));
  if (!people || !buyers || *people < 1) {
    json.null();
    return;
  }
  const double conversion = *buyers / *people;
  const auto effect =
      coupons::detectable_in(campaign, services.coupons.rules(), *people, conversion);
  json.begin_object().field("people", *people).field("conversion", conversion).key("absolute");
  effect ? json.value(effect->absolute) : json.null();
  json.key("relative");
  effect ? json.value(effect->relative) : json.null();
  const std::string what = effect ? fmt::format(
                                        "{:.0f} % more or fewer of them buying can be told "
                                        "from chance",
                                        100 * effect->relative)
                                  : std::string("no effect can be told from chance");
  json.field("text", fmt::format("of {:.0f} people {:.2g} % buy within four weeks; with a holdout "
                                 "of {:g} % {}",
                                 *people, 100 * conversion, 100 * campaign.holdout_share, what));
  json.end_object();
}

}  // namespace vitrine::http
