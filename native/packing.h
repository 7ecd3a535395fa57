// Weights in the order in which products read them.
#pragma once

#include "sequence.h"

namespace statewise {

// Panels [blocks][rows][kCount] of the gates of slots kFirst to kFirst + kCount - 1 of weights [rows, G, H].
template <class Cell, int kFirst, int kCount>
void pack_block(const Sizes& n, const float* weights, long rows, long block, float* panels) {
  float* to = panels + block * rows * kCount * kWidth;
  const long units = n.units_in(block);
  for (long k = 0; k < rows; k++)
    for (int slot = 0; slot < kCount; slot++, to += kWidth) {
      const int gate = Cell::kGateOf[kFirst + slot];
      store(to, load_first(weights + (k * Cell::kGates + gate) * n.H + block * kWidth, units));
    }
}

// The bias [blocks][slots]. Where the input and the state have one each, a slot that both products fill gets the sum.
template <class Cell>
void pack_bias(const Sizes& n, const float* bias, float* to) {
  for (long block = 0; block < n.blocks(); block++)
    for (int slot = 0; slot < kSlots; slot++, to += kWidth) {
      const float* from = bias + Cell::kGateOf[slot] * n.H + block * kWidth;
      const long units = n.units_in(block);
      if (Cell::kHasCell) {
        store(to, load_first(from, units));
      } else {
        const Vec of_input = slot < Cell::kInput ? load_first(from, units) : Vec{};
        const Vec of_state = slot >= Cell::kRecurrentAt ? load_first(from + Cell::kGates * n.H, units) : Vec{};
        store(to, of_input + of_state);
      }
    }
}

// Two vectors of columns a panel, for products with transposed weights.
constexpr int kColumns = 2;

inline long transposed_panels(long rows) { return (rows + kColumns * kWidth - 1) / (kColumns * kWidth); }

// The size of the transposed weights [rows, G, H].
template <int kCount>
long transposed_size(const Sizes& n, long rows) {
  return transposed_panels(rows) * kCount * n.padded() * kColumns * kWidth;
}

// Panel `panel` of the transpose of weights [rows, G, H]: [kCount slots, padded units][columns], a column for each row.
template <class Cell, int kFirst, int kCount>
void pack_transposed(const Sizes& n, const float* weights, long rows, long panel, float* panels) {
  constexpr int kWide = kColumns * kWidth;
  float* to = panels + panel * kCount * n.padded() * kWide;
  for (int slot = 0; slot < kCount; slot++)
    for (long block = 0; block < n.blocks(); block++, to += kWidth * kWide)
      for (int part = 0; part < kColumns; part++) {
        Vec square[kWidth];
        for (int i = 0; i < kWidth; i++) {
          const long row = panel * kWide + part * kWidth + i;
          const float* from = weights + (row * Cell::kGates + Cell::kGateOf[kFirst + slot]) * n.H + block * kWidth;
          square[i] = row < rows ? load_first(from, n.units_in(block)) : Vec{};
        }
        transpose(square);
        for (int unit = 0; unit < kWidth; unit++) store(to + unit * kWide + part * kWidth, square[unit]);
      }
}

// Calls pack(0) to pack(count - 1), on several threads if there is much to copy.
template <class Pack>
void pack_all(const Tasks& tasks, long count, long floats, const Pack& pack) {
  const int shares = floats > 200000 ? tasks.threads() : 1;
  tasks.run(shares, [&](int share) {
    for (Range mine(count, share, shares); mine.first < mine.stop; mine.first++) pack(mine.first);
  });
}

}  // namespace statewise
