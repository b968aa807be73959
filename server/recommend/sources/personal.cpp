#include "server/recommend/sources/sources.h"
#include "server/recommend/sources/taste.h"

namespace vitrine::recommend {
namespace {

class Personal final : public CandidateSource {
 public:
  std::string_view name() const override { return "personal"; }
  SourceCost cost(const Context&) const override { return SourceCost::search; }
  std::optional<Confidence> taste() const override { return &Interest::confidence; }
  absl::Status produce(const Context& context, std::vector<ProductNumber>& out) const override {
    return nearest_to_taste(context, &Interest::confidence, out);
  }
  Reason reason(const Context& context, ProductNumber product) const override {
    return taste_reason(context, &Interest::confidence, product);
  }
};

}  // namespace

const CandidateSource& personal_source() {
  static const Personal source;
  return source;
}

}  // namespace vitrine::recommend
