// kill -9 while coupons are spent, on one directory: the ledger comes to what was answered, and
// never above the limit.
#include <gtest/gtest.h>

#include <cstdlib>
#include <set>
#include <sstream>

#include "base/random.h"
#include "tests/crash/coupon_desk.h"
#include "tests/crash/written_process.h"
#include "tests/support/temp_folder.h"

namespace vitrine::crash {
namespace {

// How many rounds; VITRINE_COUPON_KILLS asks for more than the usual ones.
int rounds() {
  const char* const asked = std::getenv("VITRINE_COUPON_KILLS");
  return asked == nullptr ? 12 : std::atoi(asked);
}

struct Told {
  std::set<std::string> redeemed;
  std::set<std::string> returned;
};

void listen(const WrittenProcess& process, Told& told) {
  for (const std::string& line : process.lines()) {
    std::istringstream words(line);
    std::string what;
    std::string order;
    words >> what >> order;
    if (what == "redeemed") told.redeemed.insert(order);
    if (what == "returned") told.returned.insert(order);
  }
}

// Everything answered is there, all that is there is counted, and no more than there was.
void judge(const std::string& folder, const Told& told) {
  const OpenDesk open(folder);
  const auto reconciled = coupons::Ledger::reconcile(*open.database);
  ASSERT_TRUE(reconciled.ok()) << reconciled.status();
  const coupons::Balance uses = open.desk->balance(std::string(k_uses_account)).value();
  ASSERT_LE(uses.total(), k_uses);
  std::int64_t spent = 0;
  std::set<std::string> kept;
  const auto cursor = open.database->walk(store::Family::grants, "r", true);
  for (; cursor->valid() && cursor->key().front() == 'r'; cursor->next()) {
    const auto order = coupons::decode_order(cursor->value());
    ASSERT_TRUE(order.ok()) << order.status();
    kept.insert(order->order_id);
    const bool is_back = order->state == coupons::OrderState::returned;
    if (!is_back) ++spent;
    EXPECT_TRUE(is_back || !told.returned.contains(order->order_id)) << order->order_id;
  }
  EXPECT_EQ(uses.committed, spent);
  for (const std::string& order : told.redeemed) EXPECT_TRUE(kept.contains(order)) << order;
}

TEST(CouponCrashTest, TheLedgerComesToWhatWasAnsweredWheneverItIsKilled) {
  const TempFolder folder;
  const std::string data = (folder.path() / "data").string();
  Random random(7);
  Told told;
  for (int round = 0; round < rounds(); ++round) {
    WrittenProcess writer({VITRINE_COUPON_WRITER, data, std::to_string(round)});
    ASSERT_TRUE(writer.read_until("ready\n"));
    writer.read_for(static_cast<int>(random.below(120)));
    ASSERT_TRUE(writer.kill_and_drain());
    listen(writer, told);
    judge(data, told);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(told.redeemed.size(), static_cast<std::size_t>(rounds()));
}

}  // namespace
}  // namespace vitrine::crash
