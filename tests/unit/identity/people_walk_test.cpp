// Many people in one go, beside each asked for alone.
#include "server/identity/people_walk.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "tests/support/open_store.h"
#include "tests/support/temp_folder.h"

namespace vitrine::identity {
namespace {

class PeopleWalkTest : public testing::Test {
 protected:
  PeopleWalkTest() {
    EXPECT_TRUE(on_->committer
                    .submit_and_wait([&](events::Batch& batch) {
                      for (int i = 0; i < 2000; ++i) {
                        book_->resolve(batch, "user-" + std::to_string(i), "");
                      }
                      return absl::OkStatus();
                    })
                    .ok());
  }
  // The ids of those of `numbers` that are known.
  std::vector<std::string> walked(const std::vector<UserNumber>& numbers) {
    std::vector<std::string> ids;
    EXPECT_TRUE(walk_people(*database_, numbers, [&](UserNumber, const Person& person) {
                  ids.push_back(person.user_id);
                }).ok());
    return ids;
  }
  std::vector<std::string> asked(const std::vector<UserNumber>& numbers) {
    std::vector<std::string> ids;
    for (const UserNumber number : numbers) {
      if (const auto person = book_->person(number).value()) ids.push_back(person->user_id);
    }
    return ids;
  }

  const TempFolder folder_;
  std::unique_ptr<store::Database> database_ = open_store(folder_.path());
  std::optional<CommitterOnStore> on_{std::in_place, *database_};
  std::unique_ptr<IdentityBook> book_ = IdentityBook::open(*database_).value();
};

TEST_F(PeopleWalkTest, FindsTheSameHoweverFarTheyLieApart) {
  Random chance(3);
  for (const std::uint64_t one_in : {1, 3, 10, 40, 300}) {
    std::vector<UserNumber> numbers;
    for (std::uint32_t number = 1; number < 2300; ++number) {  // the last are nobody's
      if (chance.below(one_in) == 0) numbers.emplace_back(number);
    }
    ASSERT_FALSE(numbers.empty());
    EXPECT_EQ(walked(numbers), asked(numbers)) << "one in " << one_in;
  }
}

TEST_F(PeopleWalkTest, DenseRunsAndGapsMayTakeTurns) {
  std::vector<UserNumber> numbers;
  for (std::uint32_t begin : {1U, 500U, 505U, 1200U}) {
    for (std::uint32_t i = 0; i < 12; ++i) {
      const UserNumber number(begin + i * (begin == 500 ? 100 : 1));
      if (numbers.empty() || numbers.back() < number) numbers.push_back(number);
    }
  }
  EXPECT_EQ(walked(numbers), asked(numbers));
  EXPECT_TRUE(walked({}).empty());
}

}  // namespace
}  // namespace vitrine::identity
