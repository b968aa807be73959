#include "server/app/terminal/progress.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdio>

#include "base/clock.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

constexpr std::int64_t k_redraw_us = 100'000;  // a bar on a terminal
constexpr std::int64_t k_line_us = 5'000'000;  // lines elsewhere
constexpr std::size_t k_bar_columns = 30;

}  // namespace

std::string bar_of(double share) {
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(k_bar_columns));
  std::string bar;
  for (std::size_t i = 0; i < k_bar_columns; ++i) bar += i < filled ? "█" : "░";
  return bar;
}

Progress::Progress(std::string label, bool quiet)
    : label_(std::move(label)),
      quiet_(quiet),
      is_terminal_(is_terminal(stderr)),
      started_us_(steady_us()),
      shown_us_(started_us_) {}

Progress::~Progress() {
  if (is_drawn_) fmt::print(stderr, "\r\x1b[K");
}

void Progress::update(double share, std::string_view detail) {
  const std::int64_t now_us = steady_us();
  if (quiet_ || now_us - shown_us_ < (is_terminal_ ? k_redraw_us : k_line_us)) return;
  shown_us_ = now_us;
  draw(std::clamp(share, 0.0, 1.0), detail);
  is_drawn_ = is_terminal_;
}

void Progress::draw(double share, std::string_view detail) const {
  const double elapsed_s = static_cast<double>(steady_us() - started_us_) / 1e6;
  const std::string left =
      share > 0.02 ? duration_text(elapsed_s * (1 - share) / share) + " left" : "";
  if (is_terminal_) {
    fmt::print(stderr, "\r{} {} {:3.0f} %  {}  {}\x1b[K", label_, bar_of(share), share * 100,
               detail, left);
  } else {
    fmt::print(stderr, "{}: {:.0f} %, {}, {}\n", label_, share * 100, detail, left);
  }
  std::fflush(stderr);
}

void Progress::finish(std::string_view detail) {
  if (quiet_) return;
  if (is_drawn_) fmt::print(stderr, "\r\x1b[K");
  is_drawn_ = false;
  const double elapsed_s = static_cast<double>(steady_us() - started_us_) / 1e6;
  fmt::print(stderr, "{}: {} in {}\n", label_, detail, duration_text(elapsed_s));
}

}  // namespace vitrine::app
