// The numbers that stand for people and products inside the server.
#pragma once

#include "base/strong_id.h"

namespace vitrine {

// A person: a user, or a visitor nobody has identified yet. Both are numbered from one counter, so
// that a visitor's history can move to a user. 0 is nobody. Durable: the log and every store key
// hold this number, never an id.
using UserNumber = StrongId<struct UserNumberTag>;
constexpr UserNumber k_nobody{0};

// A product id this process knows, dense from 0. Stored in checkpoints only, beside the table that
// names it.
using ProductNumber = StrongId<struct ProductNumberTag>;

}  // namespace vitrine
