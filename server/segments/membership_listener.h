// Who is told, behind the log, that people may be in other segments than before.
//
// Told on the engine's thread, after its members know: what was missed is found by comparing.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "model/ids.h"

namespace vitrine::segments {

class MembershipListener {
 public:
  virtual ~MembershipListener() = default;
  // These people were looked at. Must be quick.
  virtual void looked_at(std::span<const UserNumber> people) = 0;
  // All members of these segments may be others: they were built anew.
  virtual void replaced(std::vector<std::string> keys) = 0;
};

}  // namespace vitrine::segments
