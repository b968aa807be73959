// How long it takes to choose coupons for somebody, live, among those of a real chain.
//
//   measure_coupon_recommendations FOLDER BOOKS [ROUNDS]
//
// FOLDER is new; BOOKS holds coupons and purchases as `vitrine evaluate --coupons` reads them.
// Every coupon can be claimed by everybody, so all of them are looked at for each answer. The
// vectors of products are random: the time does not depend on them. For docs/benchmarks.md.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/check.h"
#include "base/random.h"
#include "benchmarks/support/about.h"
#include "server/coupons/coupon_recommender.h"
#include "server/live_model/live_model_builder.h"
#include "training/uplift/coupon_books.h"

namespace vitrine::coupons {
namespace {

constexpr std::size_t k_people = 300;
constexpr std::size_t k_batch = 500;
constexpr std::uint32_t k_dimension = 64;

std::string product_id(std::size_t product) { return fmt::format("p{}", product); }
std::string coupon_id(std::size_t coupon) { return fmt::format("c{}", coupon); }

// Every product names the coupons that cover it.
std::vector<Product> products_of(const training::CouponBooks& books) {
  std::vector<Product> products(books.products.size());
  for (std::size_t i = 0; i < products.size(); ++i) {
    products[i].product_id = product_id(i);
    products[i].price = Money{299};
    products[i].currency = "USD";
  }
  for (std::size_t coupon = 0; coupon < books.coupons.size(); ++coupon) {
    for (const std::uint32_t product : books.coupons[coupon].products) {
      products[product].categories.push_back(coupon_id(coupon));
    }
  }
  return products;
}

std::shared_ptr<const OfferBook> offers_of(const training::CouponBooks& books) {
  OfferBook book;
  for (std::size_t i = 0; i < books.campaigns.size(); ++i) {
    book.put(Campaign{.id = fmt::format("k{}", i), .state = CampaignState::active, .version = 1});
  }
  for (std::size_t i = 0; i < books.coupons.size(); ++i) {
    Offer offer{.id = coupon_id(i),
                .campaign = fmt::format("k{}", books.coupons[i].campaign),
                .trigger = Trigger::claimed,
                .version = i + 1};
    offer.conditions.products =
        recommend::ProductExpression::parse(fmt::format("\"{}\" in categories", coupon_id(i)))
            .value();
    offer.amounts["*"] = {.currency = "USD", .tiers = {{{500}, {100}}}};
    offer.limits = {{.scope = Scope::user, .value = 1}};
    book.put(std::move(offer));
  }
  book.index();
  return std::make_shared<const OfferBook>(std::move(book));
}

std::shared_ptr<const TrainedModel> model_of(std::size_t products) {
  Random random(1);
  std::vector<std::string> ids;
  std::vector<float> factors;
  std::vector<float> popularity;
  for (std::size_t i = 0; i < products; ++i) {
    ids.push_back(product_id(i));
    popularity.push_back(1);
    for (std::uint32_t d = 0; d < k_dimension; ++d) {
      factors.push_back(0.05F + 0.1F * static_cast<float>(random.normal()));
    }
  }
  FactorParameters parameters;
  parameters.dimension = k_dimension;
  TrainingRecord record;
  record.created_ms = 1'600'000'000'000;
  record.confidence = ConfidenceRule::defaults();
  ModelTables tables;
  tables.products = *ProductTable::create(ids);
  tables.factors = *FactorModel::from_factors(parameters, factors);
  tables.similar = *NeighborTable::create(std::vector<std::vector<RelatedProduct>>(products));
  tables.together = tables.similar;
  tables.popularity = *PopularityTable::create(popularity);
  auto model = TrainedModel::create(std::move(record), std::move(tables));
  CHECK(model.ok(), "the model of the benchmark is sound");
  return *model;
}

class OneModel final : public live_model::LiveModelSource {
 public:
  OneModel(std::shared_ptr<const TrainedModel> model, const catalog::Catalog& catalog)
      : builder_(live_model::LiveModelBuilder::of(*live_model::index_model(std::move(model)),
                                                  catalog.numbers(), *catalog.current())) {}
  std::shared_ptr<const live_model::LiveModel> current() const override {
    return builder_.current();
  }

 private:
  live_model::LiveModelBuilder builder_;
};

struct Shop {
  Shop(const char* folder, const training::CouponBooks& books)
      : database(store::Database::open(folder, {.min_free_bytes = 0}).value()),
        identities(identity::IdentityBook::open(*database).value()),
        catalog(catalog::Catalog::in_memory(products_of(books), numbers)),
        model(model_of(books.products.size()), *catalog),
        offers(offers_of(books)),
        committer(*database, projections, clock, metrics, *log, {}),
        decisions(CouponDecisionLog::open(*database, metrics, {}).value()),
        desk(Desk::open({.database = *database,
                         .committer = committer,
                         .identities = *identities,
                         .catalog = *catalog,
                         .offers = offers,
                         .clock = clock,
                         .metrics = metrics,
                         .decisions = &*decisions})
                 .value()) {}
  ~Shop() { committer.stop(); }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  SystemClock clock;
  Metrics metrics;
  std::unique_ptr<Log> log = Log::silent();
  catalog::ProductNumbers numbers;
  std::unique_ptr<store::Database> database;
  std::unique_ptr<identity::IdentityBook> identities;
  std::unique_ptr<catalog::Catalog> catalog;
  profiles::ProfileBook profiles{numbers};
  profiles::PopularityBook popularity{numbers};
  profiles::SessionBook sessions{numbers};
  std::array<events::Projection*, 3> projections{&profiles, &popularity, &sessions};
  OneModel model;
  Published<OfferBook> offers;
  events::Committer committer;
  std::unique_ptr<CouponDecisionLog> decisions;
  std::unique_ptr<Desk> desk;
};

std::string person_id(std::uint32_t person) { return fmt::format("h{}", person); }

// The purchases of the first people, as they came.
std::size_t fill(Shop& shop, const training::CouponBooks& books) {
  std::vector<const training::CouponBooks::Purchase*> all;
  for (const auto& purchase : books.purchases) {
    if (purchase.person < k_people) all.push_back(&purchase);
  }
  for (std::size_t first = 0; first < all.size(); first += k_batch) {
    const auto stage = [&](events::Batch& batch) {
      for (std::size_t i = first; i < std::min(all.size(), first + k_batch); ++i) {
        const auto& purchase = *all[i];
        const auto who = shop.identities->resolve(batch, person_id(purchase.person), "");
        Event event;
        event.event_id = fmt::format("e{}", i);
        event.type = EventType::purchase;
        event.time_ms = purchase.day * k_day_ms;
        event.product_id = product_id(purchase.product);
        event.order_id = fmt::format("o{}-{}", purchase.person, purchase.day);
        LogEntry entry;
        entry.user = who.user;
        entry.visitor = who.visitor;
        entry.source = "benchmark";
        entry.what = std::move(event);
        batch.append(std::move(entry));
      }
      return absl::OkStatus();
    };
    CHECK(shop.committer.submit_and_wait(stage).ok(), "purchases are written");
  }
  return all.size();
}

int run(const char* folder, const char* books_folder, int rounds) {
  const auto books = training::read_coupon_books(books_folder);
  if (!books.ok()) {
    fmt::print(stderr, "{}\n", books.status().ToString());
    return EXIT_FAILURE;
  }
  Shop shop(folder, *books);
  const std::size_t purchases = fill(shop, *books);
  CouponRecommender recommender({.people = {.identities = *shop.identities,
                                            .profiles = shop.profiles,
                                            .popularity = shop.popularity,
                                            .sessions = shop.sessions,
                                            .catalog = *shop.catalog,
                                            .live_model = shop.model,
                                            .clock = shop.clock,
                                            .metrics = shop.metrics},
                                 .desk = *shop.desk,
                                 .decisions = *shop.decisions,
                                 .committer = shop.committer,
                                 .log = *shop.log},
                                {});
  const std::int64_t began_us = steady_us();
  recommender.refresh();
  const double shelf_s = static_cast<double>(steady_us() - began_us) * 1e-6;
  std::vector<double> took_ms;
  std::size_t shown = 0;
  std::set<std::string> different;
  for (int round = 0; round < rounds; ++round) {
    for (std::uint32_t person = 0; person < k_people; ++person) {
      CouponRequest request;
      request.checkout.user_id = person_id(person);
      request.checkout.shopper.user = shop.identities->find(request.checkout.user_id, "").user;
      const std::int64_t asked_us = steady_us();
      const auto answer = recommender.recommend(request);
      took_ms.push_back(static_cast<double>(steady_us() - asked_us) * 1e-3);
      CHECK(answer.ok(), "every request of the benchmark is good");
      shown += answer->coupons.size();
      for (const auto& coupon : answer->coupons) different.insert(coupon.terms.offer->id);
    }
  }
  std::ranges::sort(took_ms);
  const auto at = [&](double share) {
    return took_ms[static_cast<std::size_t>(share * static_cast<double>(took_ms.size() - 1))];
  };
  fmt::print("{}, {}\n", machine(), commit());
  fmt::print("{} coupons, {} products, {} people with {} purchases; shelf made in {:.1f} s\n",
             books->coupons.size(), books->products.size(), k_people, purchases, shelf_s);
  fmt::print(
      "{} answers, {} coupons shown, {} different: p50 {:.2f} ms, p99 {:.2f} ms, most {:.2f} ms\n",
      took_ms.size(), shown, different.size(), at(0.5), at(0.99), took_ms.back());
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace vitrine::coupons

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  return vitrine::coupons::run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 10);
}
