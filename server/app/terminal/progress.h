// How far a long step is: a bar that redraws itself on a terminal, a line now and then elsewhere.
//
// Written to standard error, so that standard output stays the result. Not thread-safe.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace vitrine::app {

// "██████░░░░": `share`, in [0, 1], of a bar.
std::string bar_of(double share);

class Progress {
 public:
  // `label` names the step: "events". A quiet one shows nothing.
  Progress(std::string label, bool quiet);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // `share` is done, in [0, 1]; `detail` says more: "312,000 events". Cheap to call often.
  void update(double share, std::string_view detail);
  // Ends the step: the bar gives way to one line "label: detail".
  void finish(std::string_view detail);

 private:
  void draw(double share, std::string_view detail) const;

  std::string label_;
  bool quiet_;
  bool is_terminal_;
  bool is_drawn_ = false;
  std::int64_t started_us_;
  std::int64_t shown_us_;
};

}  // namespace vitrine::app
