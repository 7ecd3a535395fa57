// The check of a stream's program when it is made: no instruction addresses anything outside of the table's arrays, so
// that a step need not look.
#pragma once

#include <initializer_list>

#include "memory.h"
#include "stream.h"

namespace statewise {

constexpr int64_t kMaxSymbols = 1 << 24;  // float represents every integer up to this one

// Whether `count` numbers from `start` on lie within `size`.
inline bool within(int64_t start, int64_t count, int64_t size) {
  return start >= 0 && count >= 0 && start <= size && count <= size - start;
}

// Whether operations on whole blocks at all of these places stay within `size`.
inline bool blocks_within(std::initializer_list<int64_t> starts, int64_t count, int64_t size) {
  bool valid = count % kBlock == 0;
  for (const int64_t start : starts) valid = valid && within(start, count, size);
  return valid;
}

// Whether `rows` times `columns` numbers from `start` on lie within `size`; their product is never too large for 64
// bits, since each of them is compared with `size` first.
inline bool matrix_within(int64_t start, int64_t rows, int64_t columns, int64_t size) {
  return rows >= 0 && columns >= 0 && rows <= size && columns <= size && within(start, rows * columns, size);
}

inline bool is_valid(const Instruction& of, const Table& t) {
  const int64_t own = t.workspace_size, state = t.row_size, weights = t.weights_size;
  switch (of.code) {
    case kAddProduct:
      return within(of.p, of.q, own) && blocks_within({of.at}, of.s, own) && matrix_within(of.r, of.q, of.s, weights);
    case kActivate:
      return of.p >= 0 && of.p < kFunctions && of.r > 0 && of.r <= own &&
             matrix_within(of.at, of.q, rounded_up(of.r, kBlock), own);
    case kMultiplyAdd:
      return blocks_within({of.at, of.p, of.q, of.r}, of.s, own);
    case kMultiply:
    case kAdd:
    case kSubtract:
    case kMaximum:
    case kMinimum:
      return blocks_within({of.at, of.p, of.q}, of.r, own);
    case kRead:
      return blocks_within({of.at}, of.q, own) && within(of.p, of.q, state);
    case kWrite:
      return blocks_within({of.p}, of.q, own) && within(of.at, of.q, state);
    case kCopy:
      return blocks_within({of.at, of.p}, of.q, own);
    case kDiffers:
      return within(of.at, 1, own) && within(of.p, of.q, own) && within(of.r, 1, weights);
    case kChoose:
      return within(of.p, 1, own) && blocks_within({of.at, of.q, of.r}, of.s, own);
    case kLookUp:
      return within(of.p, 1, own) && blocks_within({of.at}, of.r, own) && of.s > 0 && of.s <= kMaxSymbols &&
             matrix_within(of.q, of.s, of.r, weights);
    case kNormalize:
      return of.q > 0 && within(of.at, of.q, own) && within(of.p, of.q, own) && within(of.r, 1, weights);
    case kBias:
      return blocks_within({of.at}, of.q, own) && within(of.p, of.q, weights);
    default:
      return false;
  }
}

// The number of the first instruction that is not valid, or `t.count` if the step or its answer do not fit; -1 if all
// is well.
inline int64_t first_invalid(const Table& t) {
  for (int64_t i = 0; i < t.count; i++)
    if (!is_valid(t.instructions[i], t)) return i;
  const bool fits = within(0, t.features, t.workspace_size) && within(t.answer, t.answer_size, t.workspace_size);
  return fits ? -1 : t.count;
}

}  // namespace statewise
