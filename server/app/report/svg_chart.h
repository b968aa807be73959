// Small charts as SVG text, for a page that needs nothing from anywhere else.
//
// Colours and fonts come from the page: classes s0, s1, ... are the series. Thread-safe.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace vitrine::app {

struct ChartSeries {
  std::string name;
  std::vector<double> values;  // beside the chart's labels
};

struct Chart {
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<std::string> labels;  // along x, evenly spaced
  std::vector<ChartSeries> series;
  bool starts_at_zero = true;  // the y axis
};

// Points joined by lines.
std::string line_chart(const Chart& chart);
// Bars side by side at each label.
std::string bar_chart(const Chart& chart);

// Text that stands for itself in HTML.
std::string html_text(std::string_view text);

}  // namespace vitrine::app
