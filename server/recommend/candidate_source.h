// A way to find products worth showing, and to say why.
//
// Sources know nothing of each other and filter nothing: what may not be shown is taken away after
// all of them, in one place. To add one: a file in sources/, its name in sources/sources.h.
// Thread-safety: stateless; const methods may run at the same time from any thread.
#pragma once

#include <absl/status/status.h>

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "server/recommend/context.h"

namespace vitrine::recommend {

// What a source costs, beside the time an answer has. Late answers give up the dear ones first.
enum class SourceCost {
  lookup,  // some microseconds: reads tables and lists
  search   // looks through the index or the sessions: grows with the shop, and may have to wait
};

class CandidateSource {
 public:
  virtual ~CandidateSource() = default;

  // What placements and answers call it.
  virtual std::string_view name() const = 0;

  // Of produce() for this request.
  virtual SourceCost cost(const Context&) const { return SourceCost::lookup; }

  // The confidence whose taste produce() goes by, if it does: what is nearest to it has been looked
  // up by then, see context.tastes.
  virtual std::optional<Confidence> taste() const { return std::nullopt; }

  // Fills `out`, which comes empty, with about context.pool products, best first, none twice. One
  // that has nothing to say leaves it empty; one that fails, or says DeadlineExceeded, is skipped
  // and counted, and the answer is made without it.
  virtual absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const = 0;

  // Why this source gave `product`; asked only for what is shown.
  virtual Reason reason(const Context& context, ProductNumber product) const = 0;
};

}  // namespace vitrine::recommend
