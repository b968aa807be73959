#include "server/coupons/denial.h"

#include <array>
#include <utility>

namespace vitrine::coupons {
namespace {

// In the order of the reasons.
constexpr std::array<std::pair<std::string_view, std::string_view>, k_reasons> k_texts = {{
    {"EXPIRED", "it is not valid any more"},
    {"NOT_STARTED", "it is not valid yet, or not at this hour"},
    {"PAUSED", "it cannot be used at the moment"},
    {"MIN_SPEND", "the cart does not reach the minimum"},
    {"MIN_QUANTITY", "there are too few pieces in the cart"},
    {"WRONG_PRODUCTS", "nothing it is for is in the cart"},
    {"NOT_YOURS", "it belongs to somebody else, or to a user who was not named"},
    {"USED", "it was used, or another order holds it"},
    {"SEGMENT", "it is for other customers"},
    {"FIRST_ORDER_ONLY", "it is for a first order only"},
    {"USER_LIMIT", "it was used as often as one may use it"},
    {"BUDGET", "all there was has been given away"},
    {"STOCK", "no gifts are left"},
    {"NOT_STACKABLE", "it does not go together with the others, or they save more without it"},
    {"MARKET", "it does not count in this market or currency"},
    {"CHANNEL", "it does not count in this channel"},
    {"REVOKED", "it was taken back"},
    {"UNKNOWN_CODE", "there is no such code"},
}};

}  // namespace

std::string_view name_of(Reason reason) { return k_texts[static_cast<std::size_t>(reason)].first; }
std::string_view meaning_of(Reason reason) {
  return k_texts[static_cast<std::size_t>(reason)].second;
}

}  // namespace vitrine::coupons
