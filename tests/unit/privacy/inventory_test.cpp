#include "server/privacy/inventory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "server/store/families.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::privacy {
namespace {

using store::Family;
using testing::ElementsAre;
using testing::HasSubstr;

class Owner final : public events::PersonalData {
 public:
  explicit Owner(std::vector<Family> families) : families_(std::move(families)) {}
  std::string_view name() const override { return "owner"; }
  std::vector<Family> families() const override { return families_; }
  absl::StatusOr<std::string> export_person(const events::DataSubject& /*who*/) const override {
    return std::string("[]");
  }
  absl::StatusOr<events::Erased> erase_person(const events::DataSubject& /*who*/,
                                              events::Committer& /*committer*/) override {
    return events::Erased{};
  }

 private:
  const std::vector<Family> families_;
};

std::vector<Family> all_but(Family left_out) {
  std::vector<Family> families(store::all_families().begin(), store::all_families().end());
  std::erase(families, left_out);
  return families;
}

TEST(InventoryTest, AFamilyWithoutOwnerAndWithoutReasonIsFound) {
  Owner most(all_but(Family::decisions));
  Owner rest({Family::decisions});
  events::PersonalData* const both[] = {&most, &rest};
  EXPECT_THAT(unowned_families(both), ElementsAre());
  events::PersonalData* const one[] = {&most};
  EXPECT_THAT(unowned_families(one), ElementsAre(Family::decisions));
}

TEST(InventoryTest, EveryReasonIsWrittenOnceAndOfAFamilyThatIsThere) {
  std::set<Family> seen;
  for (const Impersonal& each : impersonal_families()) {
    EXPECT_FALSE(each.why.empty());
    EXPECT_TRUE(seen.insert(each.family).second) << store::name_of(each.family);
  }
}

TEST(InventoryTest, AKeyOfMetaThatNobodyAccountsForIsFound) {
  const TempFolder folder;
  const auto database = open_store(folder.path());
  EXPECT_TRUE(check_meta_keys(*database).ok());
  store::WriteSet changes;
  changes.put(Family::meta, "idempotent/0a", "{}");
  ASSERT_TRUE(database->write(std::move(changes)).ok());
  EXPECT_TRUE(check_meta_keys(*database).ok());
  changes = store::WriteSet();
  changes.put(Family::meta, "newsletter/ann", "ann");
  ASSERT_TRUE(database->write(std::move(changes)).ok());
  EXPECT_THAT(std::string(check_meta_keys(*database).message()), HasSubstr("newsletter/ann"));
}

}  // namespace
}  // namespace vitrine::privacy
