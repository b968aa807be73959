// Every instruction set's kernel beside plain double loops.
#include "training/panel_kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "base/random.h"
#include "model/aligned_floats.h"

namespace vitrine::training {
namespace {

constexpr std::size_t k_rows = PanelKernels::k_rows;
constexpr std::size_t k_length = 48;
constexpr float k_never = std::numeric_limits<float>::infinity();

AlignedFloats random_panel(Random& random) {
  AlignedFloats panel(k_rows * k_length);
  for (float& number : panel) number = static_cast<float>(random.normal());
  return panel;
}

class PanelKernelsTest : public ::testing::TestWithParam<const PanelKernels*> {
 protected:
  std::uint32_t score(const AlignedFloats& bars_a, const AlignedFloats& bars_b) {
    return GetParam()->score(scores_.data(), a_.data(), b_.data(), bars_a.data(), bars_b.data(),
                             k_length);
  }

  Random random_{5};
  AlignedFloats a_ = random_panel(random_);
  AlignedFloats b_ = random_panel(random_);
  AlignedFloats scores_ = AlignedFloats(k_rows * k_rows);
  const AlignedFloats nothing_wanted_ = AlignedFloats(k_rows, k_never);
};

TEST_P(PanelKernelsTest, ScoresAllPairsOfTwoPanels) {
  EXPECT_EQ(score(nothing_wanted_, nothing_wanted_), 0U);
  for (std::size_t r = 0; r < k_rows; ++r) {
    for (std::size_t c = 0; c < k_rows; ++c) {
      double sum = 0;
      for (std::size_t i = 0; i < k_length; ++i)
        sum += double{a_[i * k_rows + r]} * b_[i * k_rows + c];
      EXPECT_NEAR(scores_[r * k_rows + c], sum, 1e-4);
    }
  }
}

TEST_P(PanelKernelsTest, BothSidesSeeTheSameScore) {
  score(nothing_wanted_, nothing_wanted_);
  const AlignedFloats before = scores_;
  std::swap(a_, b_);
  score(nothing_wanted_, nothing_wanted_);
  for (std::size_t r = 0; r < k_rows; ++r) {
    for (std::size_t c = 0; c < k_rows; ++c)
      EXPECT_EQ(scores_[c * k_rows + r], before[r * k_rows + c]);
  }
}

TEST_P(PanelKernelsTest, TellsTheRowsWhereABarOfEitherSideIsReached) {
  score(nothing_wanted_, nothing_wanted_);
  for (std::size_t r = 0; r < k_rows; ++r) {
    const std::size_t c = (7 * r + 3) % k_rows;
    AlignedFloats bars = nothing_wanted_;
    bars[r] = *std::max_element(scores_.begin() + static_cast<std::ptrdiff_t>(r * k_rows),
                                scores_.begin() + static_cast<std::ptrdiff_t>((r + 1) * k_rows));
    EXPECT_EQ(score(bars, nothing_wanted_), 1U << r);
    bars[r] = std::nextafter(bars[r], k_never);
    EXPECT_EQ(score(bars, nothing_wanted_), 0U);

    std::uint32_t reaching = 0;
    for (std::size_t row = 0; row < k_rows; ++row) {
      if (scores_[row * k_rows + c] >= scores_[r * k_rows + c]) reaching |= 1U << row;
    }
    bars = nothing_wanted_;
    bars[c] = scores_[r * k_rows + c];
    EXPECT_EQ(score(nothing_wanted_, bars), reaching);
  }
}

INSTANTIATE_TEST_SUITE_P(Sets, PanelKernelsTest,
                         ::testing::ValuesIn(supported_panel_kernels().begin(),
                                             supported_panel_kernels().end()),
                         [](const auto& set) { return std::string(set.param->instruction_set); });

}  // namespace
}  // namespace vitrine::training
