#include "server/app/terminal/table.h"

#include <algorithm>

#include "base/check.h"
#include "server/app/terminal/style.h"

namespace vitrine::app {
namespace {

// Blanks after the last column would only be in the way of copying.
std::string padded(const std::string& cell, std::size_t width, Table::Align align, bool is_last) {
  const std::size_t missing = width - std::min(width, display_width(cell));
  if (align == Table::Align::right) return std::string(missing, ' ') + cell;
  return is_last ? cell : cell + std::string(missing, ' ');
}

}  // namespace

Table::Table(std::vector<Column> columns) : columns_(std::move(columns)) {}

void Table::add_row(std::vector<std::string> cells) {
  CHECK(cells.size() == columns_.size(), "a row has one cell a column");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i] = fitted(cells[i], columns_[i].width_max);
  }
  rows_.push_back(std::move(cells));
}

std::string Table::text(bool colours) const {
  std::vector<std::size_t> widths;
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    std::size_t width = display_width(columns_[i].title);
    for (const auto& row : rows_) width = std::max(width, display_width(row[i]));
    widths.push_back(width);
  }
  const auto line = [&](const auto& cell_of) {
    std::string text;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (i > 0) text += "  ";
      text += padded(cell_of(i), widths[i], columns_[i].align, i + 1 == columns_.size());
    }
    return text;
  };

  std::string header = line([&](std::size_t i) { return columns_[i].title; });
  std::string rule;
  for (std::size_t i = 0; i < widths.size(); ++i) {
    if (i > 0) rule += "  ";
    for (std::size_t column = 0; column < widths[i]; ++column) rule += "─";
  }
  std::string all =
      styled(header, Colour::bold, colours) + "\n" + styled(rule, Colour::dim, colours) + "\n";
  for (const auto& row : rows_) all += line([&](std::size_t i) { return row[i]; }) + "\n";
  return all;
}

}  // namespace vitrine::app
