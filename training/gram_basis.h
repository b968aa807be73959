// The eigenbasis of a Gram matrix, in which the part of every row's system that is the same for all
// rows is a diagonal.
//
// Householder reflections to a tridiagonal matrix, implicit QL steps, in double precision (Golub
// and Van Loan, sections 8.3.1 and 8.3.3). The eigenvectors are made at the end, columns apart from
// each other, so that several threads share them; the result does not depend on their number.
// Thread-safe.
#pragma once

#include <cstddef>
#include <vector>

#include "model/aligned_floats.h"

namespace vitrine::training {

struct GramBasis {
  AlignedFloats rotation;       // stride x stride: rows times this are the rows in the basis
  std::vector<float> spectrum;  // stride eigenvalues beside its columns, 0 past the dimension
};

// gram  `stride` rows of `stride` numbers, a multiple of 16; symmetric, positive semidefinite, read
//       in the upper triangle of the first `dimension` rows
GramBasis make_gram_basis(std::vector<double> gram, std::size_t dimension, std::size_t stride,
                          unsigned threads);

}  // namespace vitrine::training
