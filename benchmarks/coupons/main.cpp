// How many redemptions a second are durable, and how many carts a second are priced.
//
//   measure_coupons FOLDER [SECONDS]
//
// FOLDER is new or left by an earlier run. Redemptions are asked for by many at once, each waiting
// for its answer; the figures are for docs/benchmarks.md.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "benchmarks/support/about.h"
#include "server/coupons/desk.h"

namespace vitrine::coupons {
namespace {

constexpr int k_senders = 64;  // that wait for a redemption each

std::shared_ptr<const OfferBook> offer_book() {
  OfferBook book;
  book.put(Campaign{
      .id = "spring",
      .state = CampaignState::active,
      .budgets = {{.measure = Measure::discount, .currency = "EUR", .value = Limit::k_value_max}},
      .version = 1});
  Offer offer{.id = "twenty", .campaign = "spring", .code = "TWENTY", .version = 1};
  offer.amounts["*"] = {.currency = "EUR", .tiers = {{{10'000}, {2000}}}};
  offer.limits = {{.scope = Scope::user, .period = Period::day, .value = 1'000'000}};
  book.put(offer);
  offer = {.id = "shipping",
           .campaign = "spring",
           .trigger = Trigger::automatic,
           .effect = {.kind = Kind::free_shipping},
           .stacking = {.offer_class = "shipping"},
           .version = 2};
  offer.amounts["*"] = {.currency = "EUR"};
  book.put(std::move(offer));
  book.index();
  return std::make_shared<const OfferBook>(std::move(book));
}

Checkout checkout(std::string order, int sender) {
  return {.cart = {.lines = {{"a", "shirt", {4000}, 2}, {"b", "mug", {1000}, 4}},
                   .shipping = {490},
                   .currency = "EUR"},
          .order_id = std::move(order),
          .user_id = "user-" + std::to_string(sender),
          .codes = {"TWENTY"},
          .request_hash = "same"};
}

double percentile(std::vector<double>& values, double share) {
  CHECK(!values.empty(), "something was measured");
  std::ranges::sort(values);
  return values[static_cast<std::size_t>(share * static_cast<double>(values.size() - 1))];
}

void measure_redemptions(Desk& desk, int seconds) {
  const std::string run = make_ulid(SystemClock().now_ms());
  const std::int64_t end_us = steady_us() + std::int64_t{seconds} * 1'000'000;
  std::vector<std::vector<double>> took_ms(k_senders);
  std::vector<std::thread> senders;
  for (int sender = 0; sender < k_senders; ++sender) {
    senders.emplace_back([&, sender] {
      for (int i = 0; steady_us() < end_us; ++i) {
        const std::int64_t began_us = steady_us();
        std::promise<bool> done;
        const absl::Status sent = desk.redeem(
            checkout(fmt::format("{}-{}-{}", run, sender, i), sender),
            [&](const auto& outcome) { done.set_value(outcome.ok() && outcome->order); });
        CHECK(sent.ok() && done.get_future().get(), "every redemption of the benchmark is good");
        took_ms[static_cast<std::size_t>(sender)].push_back(
            static_cast<double>(steady_us() - began_us) * 1e-3);
      }
    });
  }
  for (std::thread& sender : senders) sender.join();
  std::vector<double> all;
  for (const auto& one : took_ms) all.insert(all.end(), one.begin(), one.end());
  fmt::print("redemptions: {:.0f}/s durable by {} senders, p50 {:.2f} ms, p99 {:.2f} ms\n",
             static_cast<double>(all.size()) / seconds, k_senders, percentile(all, 0.5),
             percentile(all, 0.99));
}

void measure_checks(const Desk& desk, int seconds) {
  const std::int64_t end_us = steady_us() + std::int64_t{seconds} * 1'000'000;
  std::atomic<std::int64_t> priced = 0;
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < std::thread::hardware_concurrency(); ++thread) {
    threads.emplace_back([&] {
      const Checkout asked = checkout("asked", 0);
      for (; steady_us() < end_us; ++priced) {
        CHECK(desk.check(asked)->uses.size() == 2, "both offers apply");
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fmt::print("carts priced: {:.0f}/s on {} threads\n", static_cast<double>(priced.load()) / seconds,
             threads.size());
}

int run(const char* folder, int seconds) {
  const auto database = store::Database::open(folder, {.min_free_bytes = 0}).value();
  const auto identities = identity::IdentityBook::open(*database).value();
  const SystemClock clock;
  Metrics metrics;
  const auto log = Log::silent();
  catalog::ProductNumbers numbers;
  const auto catalog = catalog::Catalog::in_memory({}, numbers);
  const Published<OfferBook> offers{offer_book()};
  events::Committer committer(*database, {}, clock, metrics, *log, {});
  const auto desk = Desk::open({.database = *database,
                                .committer = committer,
                                .identities = *identities,
                                .catalog = *catalog,
                                .offers = offers,
                                .clock = clock,
                                .metrics = metrics})
                        .value();
  fmt::print("{}, {}\n", machine(), commit());
  measure_redemptions(*desk, seconds);
  measure_checks(*desk, seconds);
  committer.stop();
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace vitrine::coupons

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  return vitrine::coupons::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 5);
}
