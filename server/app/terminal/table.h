// A table in plain text whose columns line up.
//
// Not thread-safe.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vitrine::app {

class Table {
 public:
  enum class Align { left, right };
  struct Column {
    std::string title;  // with the unit, if there is one: "seconds"
    Align align = Align::left;
    std::size_t width_max = 60;  // longer cells are cut
  };

  explicit Table(std::vector<Column> columns);

  // Precondition, checked: one cell a column.
  void add_row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }

  // Header, a rule and the rows, each line ended; the header is bold when `colours`.
  std::string text(bool colours) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace vitrine::app
