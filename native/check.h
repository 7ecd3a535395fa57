// Both passes of a cell without XLA, so that the library can be checked before XLA uses it.
#pragma once

#include <vector>

#include "backward.h"
#include "forward.h"
#include "weight_gradient.h"

namespace statewise {

// Reads x, kernel, recurrent_kernel, bias, h, c and the gradient of y from `given`; writes y, h, c and the gradients of
// kernel, recurrent_kernel, bias, h, c and x to `results`. Cells without c have it all the same, and leave it alone.
template <class Cell>
void check(const Sizes& n, const float* given, float* results) {
  const auto take = [](auto*& from, long size) {
    auto* here = from;
    from += size;
    return here;
  };
  const long gates = Cell::kGates * n.H, biases = Cell::kHasCell ? gates : 2 * gates;
  const float* x = take(given, n.B * n.T * n.F);
  const float* kernel = take(given, n.F * gates);
  const float* recurrent_kernel = take(given, n.H * gates);
  const float* bias = take(given, biases);
  const float* h = take(given, n.B * n.H);
  const float* c = take(given, n.B * n.H);
  const float* d_y = take(given, n.B * n.T * n.H);
  float* y = take(results, n.B * n.T * n.H);
  float* last_h = take(results, n.B * n.H);
  float* last_c = take(results, n.B * n.H);
  float* d_kernel = take(results, n.F * gates);
  float* d_recurrent_kernel = take(results, n.H * gates);
  float* d_bias = take(results, biases);
  float* d_h = take(results, n.B * n.H);
  float* d_c = take(results, n.B * n.H);
  float* d_x = take(results, n.B * n.T * n.F);

  const Sequence sequence{x, h, c, nullptr, nullptr, nullptr, nullptr, nullptr};
  const Weights weights{kernel, recurrent_kernel, bias};
  std::vector<float> tape(tape_size<Cell>(n)), panels(panels_size(n)), zeros(n.B * n.H);
  Forward<Cell>(n, sequence, weights, {y, last_h, last_c, tape.data()}).run(Tasks());
  Backward<Cell>(n, sequence, weights, tape.data(),
                 {d_y, zeros.data(), zeros.data(), d_h, d_c, nullptr, nullptr, d_x, panels.data()})
      .run(Tasks());
  WeightGradient<Cell>(n, sequence, y, panels.data(), {d_kernel, d_recurrent_kernel, d_bias}).run(Tasks());
}

}  // namespace statewise
