// The gradients of the weights: what each weight was multiplied by at every step, times the gradient of its slot.
//
// A task owns some rows of the kernels, so that it copies only those columns of x and h, and reads the gradients of the
// slots in the panels that the backward pass wrote. Every sum is formed in the same order however many tasks there are.
#pragma once

#include "packing.h"
#include "sparse.h"
#include "tile.h"

namespace statewise {

struct WeightGradients {
  float* kernel;            // [F, G, H]
  float* recurrent_kernel;  // [H, G, H]
  float* bias;              // [G, H]; [2, G, H] for cells whose input and state have one each
};

template <class Cell>
class WeightGradient {
 public:
  WeightGradient(const Sizes& sizes, const Sequence& sequence, const float* y, const float* panels,
                 const WeightGradients& out)
      : n(sizes), s(sequence), y_(y), panels_(panels), out_(out), nonzeros_(s.x, n.B * n.T, n.B > 1 ? n.F : 0) {
    if (nonzeros_.few()) collect_by_column();
  }

  void run(const Tasks& tasks) const {
    const int shares = shares_of(n, tasks);
    tasks.run(shares, [&](int share) {
      const Range columns(n.F, share, shares), units(n.H, share, shares), blocks(n.blocks(), share, shares);
      if (nonzeros_.few())
        add_nonzeros(columns);
      else
        multiply<0, Cell::kInput>(columns, out_.kernel, [&](long t, long b) { return s.x + (b * n.T + t) * n.F; });
      multiply_states(units);
      sum_biases(blocks);
    });
  }

 private:
  static constexpr long kLine = kSlots * kWidth;

  // How many steps of rows are summed before the next panel: their gradients stay in the first-level cache.
  static constexpr long kDepthHere = kDepth<kSlots>;

  long steps() const { return n.T * n.B; }

  void multiply_states(const Range& units) const {
    multiply<Cell::kRecurrentAt, Cell::kRecurrent>(
        units, out_.recurrent_kernel,
        [&](long t, long b) -> const float* {
          if (s.reset && s.reset[b * n.T + t]) return s.fresh_h;
          return t ? y_ + (b * n.T + t - 1) * n.H : s.h + b * n.H;
        },
        s.noise);
  }

  // Rows `columns` of a kernel's gradient from the factors that `from(t, b)` returns, null for zeros, times `noise`.
  template <int kFirst, int kCount, class From>
  void multiply(const Range& columns, float* kernel, const From& from, const float* noise = nullptr) const {
    constexpr int R = most_rows(kCount) > 8 ? 8 : most_rows(kCount);
    const long tiles = (columns.size() + R - 1) / R;
    if (!tiles) return;
    thread_local Arena arena;
    Cutter memory(arena.reserve(tiles * R * (kDepthHere + n.blocks() * kCount * kWidth) + 64));
    float* factors = memory.cut(tiles * R * kDepthHere);                 // [tiles][steps][R]
    float* sums = memory.cut(tiles * R * n.blocks() * kCount * kWidth);  // [blocks][tiles][R][slots]
    std::memset(sums, 0, tiles * R * n.blocks() * kCount * kWidth * sizeof(float));
    for (long first = 0; first < steps(); first += kDepthHere) {
      const long depth = std::min(kDepthHere, steps() - first);
      for (long i = 0; i < depth; i++) {
        const long t = (first + i) / n.B, b = (first + i) % n.B;
        scatter<R>(from(t, b), noise ? noise + b * n.H : nullptr, columns, factors + i * R, depth * R);
      }
      for (long block = 0; block < n.blocks(); block++)
        for (long i = 0; i < tiles; i++)
          tile<R, kCount, 1, true>(depth, factors + i * depth * R, R,
                                   panels_ + panel_at(n, block, 0, 0) + first * kLine + kFirst * kWidth, kLine, 0,
                                   sums + (block * tiles + i) * R * kCount * kWidth, kCount * kWidth, 0);
    }
    for (long block = 0; block < n.blocks(); block++)
      for (long i = 0; i < columns.size(); i++)
        for (int slot = 0; slot < kCount; slot++)
          store_first(at<kFirst>(kernel, columns.first + i, slot, block),
                      load(sums + ((block * tiles * R + i) * kCount + slot) * kWidth), n.units_in(block));
  }

  template <int kFirst>
  float* at(float* kernel, long row, int slot, long block) const {
    return kernel + (row * Cell::kGates + Cell::kGateOf[kFirst + slot]) * n.H + block * kWidth;
  }

  // Copies the factors of one step to their tiles, `next` floats apart, with zeros in the places that are left.
  template <int R>
  static void scatter(const float* from, const float* noise, const Range& columns, float* to, long next) {
    float factors[R];
    for (long first = columns.first; first < columns.stop; first += R, to += next) {
      const long count = std::min<long>(R, columns.stop - first);
      for (long i = 0; i < R; i++) {
        factors[i] = from && i < count ? from[first + i] : 0.0f;
        if (noise && i < count) factors[i] *= noise[first + i];
      }
      std::memcpy(to, factors, sizeof factors);
    }
  }

  // The nonzeros of x by column: for each its step, t * B + b, in order.
  void collect_by_column() {
    ends_.assign(n.F, 0);
    for (long row = 0; row < n.B * n.T; row++)
      for (const auto* entry = nonzeros_.begin(row); entry != nonzeros_.end(row); entry++) ends_[entry->column]++;
    int total = 0;
    for (int& end : ends_) total += std::exchange(end, total);
    by_column_.resize(nonzeros_.count());
    for (long t = 0; t < n.T; t++)
      for (long b = 0; b < n.B; b++)
        for (const auto* entry = nonzeros_.begin(b * n.T + t); entry != nonzeros_.end(b * n.T + t); entry++)
          by_column_[ends_[entry->column]++] = {static_cast<int>(t * n.B + b), entry->value};
  }

  void add_nonzeros(const Range& columns) const {
    for (long column = columns.first; column < columns.stop; column++) {
      const auto* first = by_column_.data() + (column ? ends_[column - 1] : 0);
      const auto* stop = by_column_.data() + ends_[column];
      for (long block = 0; block < n.blocks(); block++) {
        const float* panel = panels_ + panel_at(n, block, 0, 0);
        Vec sums[Cell::kInput] = {};
        for (const auto* entry = first; entry != stop; entry++)
#pragma GCC unroll 4
          for (int slot = 0; slot < Cell::kInput; slot++)
            sums[slot] += entry->value * load(panel + entry->column * kLine + slot * kWidth);
        for (int slot = 0; slot < Cell::kInput; slot++)
          store_first(at<0>(out_.kernel, column, slot, block), sums[slot], n.units_in(block));
      }
    }
  }

  void sum_biases(const Range& blocks) const {
    for (long block = blocks.first; block < blocks.stop; block++) {
      const float* panel = panels_ + panel_at(n, block, 0, 0);
      Vec sums[kSlots] = {};
      for (long step = 0; step < steps(); step++)
#pragma GCC unroll 4
        for (int slot = 0; slot < kSlots; slot++) sums[slot] += load(panel + step * kLine + slot * kWidth);
      for (int slot = 0; slot < Cell::kInput; slot++)
        store_first(at<0>(out_.bias, 0, slot, block), sums[slot], n.units_in(block));
      if (!Cell::kHasCell)
        for (int slot = 0; slot < Cell::kRecurrent; slot++)
          store_first(at<Cell::kRecurrentAt>(out_.bias, 1, slot, block), sums[Cell::kRecurrentAt + slot],
                      n.units_in(block));
    }
  }

  const Sizes n;
  const Sequence s;
  const float *const y_, *const panels_;
  const WeightGradients out_;
  const Nonzeros nonzeros_;
  std::vector<Nonzeros::Entry> by_column_;  // the column of an entry is its step here
  std::vector<int> ends_;
};

}  // namespace statewise
