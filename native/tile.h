// The matrix product that everything else is made of: a tile of rows times panels of weights, held in registers.
#pragma once

#include "vectors.h"

namespace statewise {

constexpr int kAccumulators = kRegisters * 3 / 4;

// How many rows a tile of `vectors` columns has at most, and how many panels it takes side by side when it has few
// rows: a product needs eight or more independent sums to keep the processor's multipliers busy.
constexpr int most_rows(int vectors) { return kAccumulators / vectors; }

constexpr int side_by_side(int rows, int vectors) {
  int panels = 4;
  while (panels > 1 && rows * vectors * panels > kAccumulators) panels /= 2;
  return panels;
}

// How many k ahead weights are called for that may be far away, in the last cache or in memory.
constexpr long kAhead = 64;

// c[R][P][M] += a[R][K] * b[P][K][M], where P panels of M vectors lie `panel` floats apart, and their sums `block`.
// With kByColumn, `a` is [K][R]. All loops over sums are unrolled, or the sums would be kept in memory.
template <int R, int M, int P, bool kByColumn>
STATEWISE_INLINE void tile(long K, const float* a, long lda, const float* b, long ldb, long panel, float* c, long ldc,
                           long block) {
  Vec sums[R][P][M];
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int p = 0; p < P; p++)
#pragma GCC unroll 16
      for (int m = 0; m < M; m++) sums[r][p][m] = load(c + r * ldc + p * block + m * kWidth);
  for (long k = 0; k < K; k++) {
    if constexpr (R > 3 && !kByColumn)
#pragma GCC unroll 16
      for (int m = 0; m < M; m++) __builtin_prefetch(b + (k + kAhead) * ldb + m * kWidth);
    if constexpr (R < P * M) {
      float left[R];
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) left[r] = kByColumn ? a[k * lda + r] : a[r * lda + k];
#pragma GCC unroll 4
      for (int p = 0; p < P; p++)
#pragma GCC unroll 16
        for (int m = 0; m < M; m++) {
          const Vec right = load(b + k * ldb + p * panel + m * kWidth);
#pragma GCC unroll 16
          for (int r = 0; r < R; r++) sums[r][p][m] += left[r] * right;
        }
    } else {
      Vec right[P][M];
#pragma GCC unroll 4
      for (int p = 0; p < P; p++)
#pragma GCC unroll 16
        for (int m = 0; m < M; m++) right[p][m] = load(b + k * ldb + p * panel + m * kWidth);
#pragma GCC unroll 16
      for (int r = 0; r < R; r++) {
        const float left = kByColumn ? a[k * lda + r] : a[r * lda + k];
#pragma GCC unroll 4
        for (int p = 0; p < P; p++)
#pragma GCC unroll 16
          for (int m = 0; m < M; m++) sums[r][p][m] += left * right[p][m];
      }
    }
  }
#pragma GCC unroll 16
  for (int r = 0; r < R; r++)
#pragma GCC unroll 4
    for (int p = 0; p < P; p++)
#pragma GCC unroll 16
      for (int m = 0; m < M; m++) store(c + r * ldc + p * block + m * kWidth, sums[r][p][m]);
}

// The same for any number of rows and one panel.
template <int M, int R = most_rows(M)>
void rows_times_panel(long rows, long K, const float* a, long lda, const float* b, float* c, long ldc) {
  if constexpr (R > 0) {
    if (rows < R) return rows_times_panel<M, R - 1>(rows, K, a, lda, b, c, ldc);
    tile<R, M, 1, false>(K, a, lda, b, M * kWidth, 0, c, ldc, 0);
    if (rows > R) rows_times_panel<M>(rows - R, K, a + R * lda, lda, b, c + R * ldc, ldc);
  }
}

// How many k of a panel are used for all rows before the next: what the first-level cache holds.
template <int M>
constexpr long kDepth = 32768 / (M * kWidth * sizeof(float));

// Few rows, R of them: panels side by side.
template <int R, int M>
void few_rows_times_panels(long panels, long K, const float* a, long lda, const float* b, float* c, long ldc,
                           long block, bool from_last) {
  constexpr int P = side_by_side(R, M);
  const long panel = K * M * kWidth, groups = panels / P;
  for (long i = 0; i < groups; i++) {
    const long p = (from_last ? groups - 1 - i : i) * P;
    tile<R, M, P, false>(K, a, lda, b + p * panel, M * kWidth, panel, c + p * block, ldc, block);
  }
  if constexpr (P > 1)
    for (long p = groups * P; p < panels; p++)
      tile<R, M, 1, false>(K, a, lda, b + p * panel, M * kWidth, 0, c + p * block, ldc, 0);
}

// c[rows][panels][M] += a[rows][K] * b[panels][K][M]; the sums of a panel lie `block` floats after those of the last.
// The panels are taken from the first to the last, or the other way: a caller that comes again and again alternates,
// and finds in the cache what it used last.
template <int M>
void rows_times_panels(long rows, long panels, long K, const float* a, long lda, const float* b, float* c, long ldc,
                       long block, bool from_last = false) {
  if (rows == 1) return few_rows_times_panels<1, M>(panels, K, a, lda, b, c, ldc, block, from_last);
  if (rows == 2) return few_rows_times_panels<2, M>(panels, K, a, lda, b, c, ldc, block, from_last);
  if (rows == 3) return few_rows_times_panels<3, M>(panels, K, a, lda, b, c, ldc, block, from_last);
  for (long i = 0; i < panels; i++) {
    const long p = from_last ? panels - 1 - i : i;
    for (long k = 0; k < K; k += kDepth<M>)
      rows_times_panel<M>(rows, K - k < kDepth<M> ? K - k : kDepth<M>, a + k, lda, b + (p * K + k) * M * kWidth,
                          c + p * block, ldc);
  }
}

}  // namespace statewise
