// Product vectors as whole numbers of 4 bits, scanned in blocks of 64 rows for several queries at
// once; all that may be among the best are scored again in full precision.
//
// Every row has a scale of its own, so that rows of any length are coded equally well. Inside
// index/ only, because it shows FAISS. Thread-safety: const methods may run at the same time from
// any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "index/code_blocks.h"
#include "index/flat_scan.h"
#include "index/segment.h"

namespace vitrine::index {

class BlockScan final : public Segment {
 public:
  // As FlatScan's. Codes all rows: about 0.5 s for a million of 64 dimensions.
  BlockScan(const VectorTable& vectors, std::shared_ptr<const void> owner, const Kernels& kernels);

  void collect(std::span<Search> searches, const RowFilter& live) const override;
  VectorTable rows() const override { return rows_.rows(); }

 private:
  void collect_together(std::span<Search*> searches, const RowFilter& live) const;

  const Kernels* kernels_;
  FlatScan rows_;
  CodeBlocks blocks_;
};

}  // namespace vitrine::index
