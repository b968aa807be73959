// A way to find products worth showing, and to say why.
//
// Sources know nothing of each other and filter nothing: what may not be shown is taken away after
// all of them, in one place. To add one: a file in sources/, its name in sources/sources.h.
// Thread-safety: stateless; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/status.h>

#include <span>
#include <string_view>
#include <vector>

#include "server/recommend/context.h"

namespace vitrine::recommend {

class CandidateSource {
 public:
  virtual ~CandidateSource() = default;

  // What placements and answers call it.
  virtual std::string_view name() const = 0;

  // Whether produce() searches the index: too dear for an answer that is late already.
  virtual bool is_search() const { return false; }

  // Fills `out`, which comes empty, with about context.pool products, best first, none twice. One
  // that has nothing to say leaves it empty; one that fails is skipped and counted, and the answer
  // is made without it.
  virtual absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const = 0;

  // Why this source gave `product`; asked only for what is shown.
  virtual Reason reason(const Context& context, ProductNumber product) const = 0;
};

}  // namespace vitrine::recommend
