// A child process whose standard output is read until it is killed.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

namespace vitrine::crash {

class WrittenProcess {
 public:
  explicit WrittenProcess(const std::vector<std::string>& command);
  ~WrittenProcess();
  WrittenProcess(const WrittenProcess&) = delete;
  WrittenProcess& operator=(const WrittenProcess&) = delete;

  // Reads until the output holds `text`; false when the process ended without it.
  bool read_until(const std::string& text);
  // Reads for so long; returns at once when the process ends.
  void read_for(int milliseconds);
  // SIGKILL, then everything that was still in the pipe. False when it had ended by itself.
  bool kill_and_drain();
  // Whole lines only: what was cut was not told.
  std::vector<std::string> lines() const;

 private:
  bool read_some(int timeout_ms);  // false at the end of the output
  pid_t process_ = -1;
  int output_ = -1;
  std::string text_;
};

}  // namespace vitrine::crash
