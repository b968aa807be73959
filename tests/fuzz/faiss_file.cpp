// Index files in FAISS's own format: the exact index, and the graph. What is taken answers a
// search.
#include "index/exact_index.h"
#include "index/graph_index.h"
#include "tests/fuzz/fuzz.h"

namespace vitrine::index {
namespace {

void search(const absl::StatusOr<std::shared_ptr<const ProductIndex>>& loaded) {
  if (!loaded.ok()) return;
  const ProductIndex& index = **loaded;
  const std::vector<float> query(index.dimension(), 0.5F);
  const auto found = index.search(query, 3, RowFilter::all(index.row_count()));
  CHECK(found.ok() && found->size() <= index.row_count(), "what can be loaded can be searched");
  for (const Neighbor& neighbor : *found) {
    CHECK(neighbor.row < index.row_count(), "an answer is a row of the index");
  }
}

void load(std::string_view input) {
  const unsigned choice = fuzz::take_choice(input);
  const fuzz::MemoryFile file(input);
  search(choice % 2 == 0 ? ExactIndex::load(file.path()) : GraphIndex::load(file.path()));
}

}  // namespace
}  // namespace vitrine::index

int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  vitrine::index::load(vitrine::fuzz::text_of(bytes, size));
  return 0;
}
