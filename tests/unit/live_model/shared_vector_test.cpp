#include "server/live_model/shared_vector.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <vector>

#include "base/random.h"

namespace vitrine::live_model {
namespace {

void expect_equal(const SharedVector<int>& shared, const std::vector<int>& plain) {
  ASSERT_EQ(shared.size(), plain.size());
  for (std::size_t at = 0; at < plain.size(); ++at) ASSERT_EQ(shared[at], plain[at]) << "at " << at;
}

TEST(SharedVectorTest, BehavesLikeAVector) {
  Random random(5);
  SharedVector<int> shared;
  std::vector<int> plain;
  for (const std::size_t size : {1U, 1023U, 1024U, 1025U, 5000U}) {
    shared.grow(size, static_cast<int>(size));
    plain.resize(size, static_cast<int>(size));
    for (int i = 0; i < 50; ++i) {
      const std::size_t at = random.below(size);
      shared.set(at, i);
      plain[at] = i;
    }
    expect_equal(shared, plain);
  }
}

TEST(SharedVectorTest, GrowingToLessChangesNothing) {
  SharedVector<int> shared;
  shared.grow(3, 7);
  shared.grow(2, 9);
  expect_equal(shared, {7, 7, 7});
}

TEST(SharedVectorTest, ACopyIsChangedWithoutItsOriginal) {
  Random random(6);
  SharedVector<int> original;
  original.grow(3000, 1);
  const std::vector<int> before(3000, 1);

  SharedVector<int> copy = original;
  std::vector<int> plain = before;
  for (int i = 0; i < 200; ++i) {
    const std::size_t at = random.below(3000);
    copy.set(at, 100 + i);
    plain[at] = 100 + i;
  }
  copy.grow(3050, 2);  // into the last chunk, which the original has a part of
  plain.resize(3050, 2);
  const SharedVector<int> copy_of_copy = copy;
  copy.set(0, -1);

  expect_equal(original, before);
  expect_equal(copy_of_copy, plain);
  EXPECT_EQ(copy[0], -1);
}

}  // namespace
}  // namespace vitrine::live_model
