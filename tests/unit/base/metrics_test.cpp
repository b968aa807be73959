#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace vitrine {
namespace {

using testing::HasSubstr;

TEST(MetricsTest, TheSameNameAndLabelsAreTheSameMetric) {
  Metrics metrics;
  metrics.counter("vitrine_test_events_total", "Events.", {{"type", "view"}}).add();
  metrics.counter("vitrine_test_events_total", "Events.", {{"type", "view"}}).add(2);
  metrics.counter("vitrine_test_events_total", "Events.", {{"type", "click"}}).add();
  EXPECT_THAT(metrics.text(), HasSubstr("vitrine_test_events_total{type=\"view\"} 3"));
  EXPECT_THAT(metrics.text(), HasSubstr("vitrine_test_events_total{type=\"click\"} 1"));
}

TEST(MetricsTest, HistogramsCountIntoTheirBuckets) {
  Metrics metrics;
  Histogram& seconds = metrics.histogram("vitrine_test_seconds", "Time.", {0.1, 1});
  seconds.observe(0.05);
  seconds.observe(0.5);
  seconds.observe(5);
  EXPECT_THAT(metrics.text(), HasSubstr("vitrine_test_seconds_bucket{le=\"1\"} 2"));
  EXPECT_THAT(metrics.text(), HasSubstr("vitrine_test_seconds_count 3"));
}

}  // namespace
}  // namespace vitrine
