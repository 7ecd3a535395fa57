// One step of streams: an interpreter of the instructions that src/statewise/streaming/assembler.py writes, and that
// stream_check.h has checked.
//
// Everything that a call needs is in a table of addresses and numbers, so that calling it costs as little as possible.
// Streams advance in groups, so that weights are read once for several of them; each has a workspace of its own, which
// begins with the step's input.
#pragma once

#include <cmath>
#include <cstdint>

#include "activations.h"
#include "tile.h"

namespace statewise {

constexpr long kBlock = 16;   // numbers; the assembler pads everything to whole blocks
constexpr long kGroup = 4;    // streams that advance together
constexpr long kPanel = 256;  // columns of a matrix that lie together, row by row, so that they are read in order

enum Code : int64_t {
  kAddProduct,
  kActivate,
  kMultiplyAdd,
  kMultiply,
  kAdd,
  kSubtract,
  kRead,
  kWrite,
  kCopy,
  kDiffers,
  kChoose,
  kLookUp,
  kBias,
  kMaximum,
  kMinimum,
  kNormalize
};

struct Instruction {
  int64_t code, at, p, q, r, s;
};

// Fields as in instructions.py; addresses are those of NumPy arrays.
struct Table {
  const Instruction* instructions;
  int64_t count;
  const float* weights;
  int64_t weights_size;
  float* store;  // [rows][row_size] states
  int64_t rows, row_size;
  float* workspace;  // [kGroup][workspace_size]
  int64_t workspace_size;
  double* x;  // [n][features]
  int64_t features;
  float* y;  // [n][answer_size]
  int64_t answer, answer_size;
  const int64_t* slots;  // [n] rows of the store
  int64_t n;
  int64_t done;  // steps; so it is known after an interruption whether the last one was executed
};

enum Outcome : long { kDone, kBadInput, kBadSlot, kUnknownInstruction, kUnknownFunction };

STATEWISE_INLINE void copy(float* to, const float* from, long count) {
  for (long k = 0; k < count; k += kWidth) store(to + k, load(from + k));
}

template <class Combine>
STATEWISE_INLINE void combine(float* to, const float* x, const float* y, long count, const Combine& f) {
  for (long k = 0; k < count; k += kWidth) store(to + k, f(load(x + k), load(y + k)));
}

// Adds a[K] times the columns of a matrix [K][width] that M vectors hold, for R streams. A few columns of one stream
// are summed in four parts, since one sum after the other would wait for the last.
template <int R, int M>
STATEWISE_INLINE void add_columns(long K, const float* a, long stride, const float* b, long width, float* c) {
  if constexpr (R * M >= 4) {
    tile<R, M, 1, false>(K, a, stride, b, width, 0, c, stride, 0);
  } else {
    Vec sums[4][R][M] = {};
    long k = 0;
    for (; k + 4 <= K; k += 4)
#pragma GCC unroll 4
      for (int part = 0; part < 4; part++)  // unrolled, or the sums are kept in memory
#pragma GCC unroll 4
        for (int r = 0; r < R; r++)
#pragma GCC unroll 4
          for (int m = 0; m < M; m++)
            sums[part][r][m] += a[r * stride + k + part] * load(b + (k + part) * width + m * kWidth);
    for (; k < K; k++)
#pragma GCC unroll 4
      for (int r = 0; r < R; r++)
#pragma GCC unroll 4
        for (int m = 0; m < M; m++) sums[0][r][m] += a[r * stride + k] * load(b + k * width + m * kWidth);
#pragma GCC unroll 4
    for (int r = 0; r < R; r++)
#pragma GCC unroll 4
      for (int m = 0; m < M; m++) {
        float* at = c + r * stride + m * kWidth;
        store(at, load(at) + ((sums[0][r][m] + sums[1][r][m]) + (sums[2][r][m] + sums[3][r][m])));
      }
  }
}

// The columns of a panel from `column` on, most vectors first.
template <int R, int M>
STATEWISE_INLINE void add_panel(long K, const float* a, long stride, const float* b, long width, float* c,
                                long column) {
  for (; column + M * kWidth <= width; column += M * kWidth)
    add_columns<R, M>(K, a, stride, b + column, width, c + column);
  if constexpr (M > 1) {
    if (column < width) add_panel<R, M / 2>(K, a, stride, b, width, c, column);
  }
}

// Adds the product with a matrix, panel by panel, to what is there.
template <int R>
STATEWISE_INLINE void add_product(float* a, long stride, const Instruction& of, const float* weights) {
  constexpr int kVectors = R == 1 ? (kRegisters > 16 ? 16 : 8) : most_rows(R) >= 4 ? 4 : 2;
  for (long column = 0; column < of.s; column += kPanel) {
    const long width = std::min<long>(kPanel, of.s - column);
    add_panel<R, kVectors>(of.q, a + of.p, stride, weights + of.r + column * of.q, width, a + of.at + column, 0);
  }
}

// y = (x - mean) / sqrt(variance + epsilon)
inline void normalize(float* y, const float* x, long count, float epsilon) {
  float sum = 0.0f, squares = 0.0f;
  for (long k = 0; k < count; k++) sum += x[k];
  const float mean = sum / static_cast<float>(count);
  for (long k = 0; k < count; k++) squares += (x[k] - mean) * (x[k] - mean);
  const float scale = 1.0f / std::sqrt(squares / static_cast<float>(count) + epsilon);
  for (long k = 0; k < count; k++) y[k] = (x[k] - mean) * scale;
}

STATEWISE_INLINE bool differs(const float* a, long count, float value) {
  for (long k = 0; k < count; k++)
    if (a[k] != value) return true;
  return false;
}

// Advances R streams by one step. States are written last: an instruction that is not known changes none.
template <int R>
Outcome advance(const Table& t, const int64_t* slots) {
  float* const first = t.workspace;
  const long stride = t.workspace_size;
  for (const Instruction* of = t.instructions; of != t.instructions + t.count; of++) {
    if (of->code == kAddProduct) {
      add_product<R>(first, stride, *of, t.weights);
      continue;
    }
    for (int i = 0; i < R; i++) {
      float* const a = first + i * stride;
      float* const state = t.store + slots[i] * t.row_size;
      switch (of->code) {
        case kActivate:
          if (!activate(of->p, a + of->at, of->q, of->r, (of->r + kBlock - 1) / kBlock * kBlock))
            return kUnknownFunction;
          break;
        case kMultiplyAdd:
          for (long k = 0; k < of->s; k += kWidth)
            store(a + of->at + k, load(a + of->p + k) * load(a + of->q + k) + load(a + of->r + k));
          break;
        case kMultiply:
          combine(a + of->at, a + of->p, a + of->q, of->r, [](Vec x, Vec y) { return x * y; });
          break;
        case kAdd:
          combine(a + of->at, a + of->p, a + of->q, of->r, [](Vec x, Vec y) { return x + y; });
          break;
        case kSubtract:
          combine(a + of->at, a + of->p, a + of->q, of->r, [](Vec x, Vec y) { return x - y; });
          break;
        case kMaximum:
          combine(a + of->at, a + of->p, a + of->q, of->r, [](Vec x, Vec y) { return x > y ? x : y; });
          break;
        case kMinimum:
          combine(a + of->at, a + of->p, a + of->q, of->r, [](Vec x, Vec y) { return x < y ? x : y; });
          break;
        case kNormalize:
          normalize(a + of->at, a + of->p, of->q, t.weights[of->r]);
          break;
        case kRead:
          copy(a + of->at, state + of->p, of->q);
          break;
        case kWrite:
          copy(state + of->at, a + of->p, of->q);
          break;
        case kCopy:
          copy(a + of->at, a + of->p, of->q);
          break;
        case kDiffers:
          a[of->at] = differs(a + of->p, of->q, t.weights[of->r]) ? 1.0f : 0.0f;
          break;
        case kChoose:
          copy(a + of->at, a + (a[of->p] != 0.0f ? of->q : of->r), of->s);
          break;
        case kLookUp: {
          const float last = static_cast<float>(of->s - 1);
          const long row = static_cast<long>(std::min(std::max(0.0f, a[of->p]), last));  // of NaN it is 0
          copy(a + of->at, t.weights + of->q + row * of->r, of->r);
          break;
        }
        case kBias:
          copy(a + of->at, t.weights + of->p, of->q);
          break;
        default:
          return kUnknownInstruction;
      }
    }
  }
  return kDone;
}

// The next R of `t.n` streams, which read `x`.
template <int R, class Number>
STATEWISE_INLINE Outcome advance_from(const Table& t, const Number* x, long first) {
  for (int i = 0; i < R; i++)
    for (long k = 0; k < t.features; k++)
      t.workspace[i * t.workspace_size + k] = static_cast<float>(x[(first + i) * t.features + k]);
  if (const Outcome outcome = advance<R>(t, t.slots + first)) return outcome;
  for (int i = 0; i < R; i++)
    std::memcpy(t.y + (first + i) * t.answer_size, t.workspace + i * t.workspace_size + t.answer,
                t.answer_size * sizeof(float));
  return kDone;
}

// Whether all numbers are finite as floats; without leaving early, so that it takes whole vectors.
template <class Number>
STATEWISE_INLINE bool all_finite(const Number* x, long count) {
  int odd = 0;
  for (long k = 0; k < count; k++) odd |= !std::isfinite(static_cast<float>(x[k]));
  return !odd;
}

// Advances t.n streams, which read `x`, by one step and counts it, or changes nothing and says why.
template <class Number>
inline Outcome stream_step(Table& t, const Number* x) {
  if (!all_finite(x, t.n * t.features)) return kBadInput;
  for (long i = 0; i < t.n; i++)
    if (t.slots[i] < 0 || t.slots[i] >= t.rows) return kBadSlot;
  for (long first = 0; first < t.n;) {
    const long group = t.n - first >= kGroup ? kGroup : 1;
    const Outcome outcome = group == kGroup ? advance_from<kGroup>(t, x, first) : advance_from<1>(t, x, first);
    if (outcome) return outcome;
    first += group;
  }
  t.done++;
  return kDone;
}

}  // namespace statewise
