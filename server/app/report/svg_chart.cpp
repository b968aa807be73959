#include "server/app/report/svg_chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

namespace vitrine::app {
namespace {

constexpr double k_width = 560;
constexpr double k_height = 300;
constexpr double k_left = 62;
constexpr double k_right = 14;
constexpr double k_top = 40;
constexpr double k_bottom = 46;
constexpr double k_plot_width = k_width - k_left - k_right;
constexpr double k_plot_height = k_height - k_top - k_bottom;

// A round step that gives about five lines.
double step_of(double span) {
  const double rough = std::max(span, 1e-12) / 5;
  const double unit = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double times : {1.0, 2.0, 5.0}) {
    if (times * unit >= rough) return times * unit;
  }
  return 10 * unit;
}

struct Scale {
  double low;
  double high;
  double step;

  double y(double value) const {
    return k_top + k_plot_height * (1 - (value - low) / (high - low));
  }
};

Scale scale_of(const Chart& chart) {
  double low = std::numeric_limits<double>::infinity();
  double high = -low;
  for (const ChartSeries& series : chart.series) {
    for (const double value : series.values) {
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  if (!(low <= high)) low = high = 0;
  if (chart.starts_at_zero) low = std::min(low, 0.0);
  if (high - low < 1e-12) high = low + 1;
  const double step = step_of(high - low);
  return {std::floor(low / step) * step, std::ceil(high / step) * step, step};
}

// Middle of the place of a label.
double x_of(const Chart& chart, std::size_t label) {
  const auto count = static_cast<double>(std::max<std::size_t>(1, chart.labels.size()));
  return k_left + k_plot_width * (static_cast<double>(label) + 0.5) / count;
}

std::string frame(const Chart& chart, const Scale& scale) {
  std::string svg = fmt::format(
      R"(<svg viewBox="0 0 {} {}" role="img" aria-label="{}"><text class="title" x="{}" y="16">{}</text>)",
      k_width, k_height, html_text(chart.title), k_left, html_text(chart.title));
  const auto lines = static_cast<int>(std::lround((scale.high - scale.low) / scale.step));
  for (int i = 0; i <= lines; ++i) {
    const double value = scale.low + i * scale.step;
    svg += fmt::format(
        R"(<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/><text class="y" x="{}" y="{:.1f}">{:.4g}</text>)",
        k_left, k_width - k_right, scale.y(value), scale.y(value), k_left - 6, scale.y(value) + 4,
        value);
  }
  // Every label when there are few, else about ten.
  const std::size_t every = (chart.labels.size() + 11) / 12;
  for (std::size_t i = 0; i < chart.labels.size(); i += std::max<std::size_t>(1, every)) {
    svg += fmt::format(R"(<text class="x" x="{:.1f}" y="{}">{}</text>)", x_of(chart, i),
                       k_height - k_bottom + 16, html_text(chart.labels[i]));
  }
  svg += fmt::format(R"(<text class="x" x="{}" y="{}">{}</text>)", k_left + k_plot_width / 2,
                     k_height - 8, html_text(chart.x_title));
  svg += fmt::format(R"(<text class="y" x="{}" y="{}">{}</text>)", k_left - 6, k_top - 10,
                     html_text(chart.y_title));
  double x = k_left;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    svg += fmt::format(
        R"(<rect class="s{}" x="{:.0f}" y="24" width="10" height="10"/><text class="key" x="{:.0f}" y="33">{}</text>)",
        s, x, x + 14, html_text(chart.series[s].name));
    x += 26 + 7.0 * static_cast<double>(chart.series[s].name.size());
  }
  return svg;
}

std::string tip(const Chart& chart, const ChartSeries& series, std::size_t i) {
  return fmt::format("<title>{}, {}: {:.4f}</title>", html_text(series.name),
                     html_text(chart.labels[i]), series.values[i]);
}

}  // namespace

std::string html_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '&') {
      out += "&amp;";
    } else if (c == '<') {
      out += "&lt;";
    } else if (c == '>') {
      out += "&gt;";
    } else if (c == '"') {
      out += "&quot;";
    } else {
      out += c;
    }
  }
  return out;
}

std::string line_chart(const Chart& chart) {
  const Scale scale = scale_of(chart);
  std::string svg = frame(chart, scale);
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const ChartSeries& series = chart.series[s];
    std::string points;
    std::string dots;
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      const double y = scale.y(series.values[i]);
      points += fmt::format("{:.1f},{:.1f} ", x_of(chart, i), y);
      dots += fmt::format(R"(<circle class="s{}" cx="{:.1f}" cy="{:.1f}" r="3.5">{}</circle>)", s,
                          x_of(chart, i), y, tip(chart, series, i));
    }
    svg += fmt::format(R"(<polyline class="l{}" points="{}"/>{})", s, points, dots);
  }
  return svg + "</svg>\n";
}

std::string bar_chart(const Chart& chart) {
  const Scale scale = scale_of(chart);
  std::string svg = frame(chart, scale);
  const auto groups = static_cast<double>(std::max<std::size_t>(1, chart.labels.size()));
  const auto count = static_cast<double>(std::max<std::size_t>(1, chart.series.size()));
  const double width = k_plot_width / groups * 0.8 / count;
  for (std::size_t s = 0; s < chart.series.size(); ++s) {
    const ChartSeries& series = chart.series[s];
    for (std::size_t i = 0; i < series.values.size(); ++i) {
      const double x = x_of(chart, i) + (static_cast<double>(s) - count / 2) * width;
      const double top = scale.y(std::max(series.values[i], 0.0));
      svg += fmt::format(
          R"(<rect class="s{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}">{}</rect>)", s,
          x, top, width * 0.92, std::max(0.5, std::abs(scale.y(0) - scale.y(series.values[i]))),
          tip(chart, series, i));
    }
  }
  return svg + "</svg>\n";
}

}  // namespace vitrine::app
