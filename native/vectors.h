// Vectors of floats as wide as the processor's registers, and the functions of gates on them.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstring>
#include <utility>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace statewise {

#if defined(__AVX512F__)
constexpr int kWidth = 16, kRegisters = 32;
#elif defined(__AVX2__)
constexpr int kWidth = 8, kRegisters = 16;
#else
constexpr int kWidth = 4, kRegisters = 32;
#endif

typedef float Vec __attribute__((vector_size(kWidth * sizeof(float))));

#define STATEWISE_INLINE inline __attribute__((always_inline))

STATEWISE_INLINE Vec load(const float* from) {
  Vec v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

STATEWISE_INLINE void store(float* to, Vec v) { std::memcpy(to, &v, sizeof v); }

#if defined(__AVX2__) && !defined(__AVX512F__)
// All bits of the first `count` lanes.
STATEWISE_INLINE __m256i first_lanes(long count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(count)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
#endif

STATEWISE_INLINE Vec all(float value) { return value - Vec{}; }

// The first `count` floats, and zeros; nothing beyond them is read.
STATEWISE_INLINE Vec load_first(const float* from, long count) {
  if (count >= kWidth) return load(from);
#if defined(__AVX512F__)
  return _mm512_maskz_loadu_ps(static_cast<__mmask16>((1u << count) - 1), from);
#elif defined(__AVX2__)
  return _mm256_maskload_ps(from, first_lanes(count));
#else
  Vec v{};
  for (long i = 0; i < count; i++) v[i] = from[i];
  return v;
#endif
}

STATEWISE_INLINE void store_first(float* to, Vec v, long count) {
  if (count >= kWidth) return store(to, v);
#if defined(__AVX512F__)
  _mm512_mask_storeu_ps(to, static_cast<__mmask16>((1u << count) - 1), v);
#elif defined(__AVX2__)
  _mm256_maskstore_ps(to, first_lanes(count), v);
#else
  for (long i = 0; i < count; i++) to[i] = v[i];
#endif
}

// Turns rows into columns: afterwards lane i of v[j] is what lane j of v[i] was.
template <int kStep, std::size_t... kLane>
STATEWISE_INLINE void exchange(Vec& a, Vec& b, std::index_sequence<kLane...>) {
  const Vec low = __builtin_shufflevector(a, b, (kLane & kStep ? kWidth + kLane - kStep : kLane)...);
  b = __builtin_shufflevector(a, b, (kLane & kStep ? kWidth + kLane : kLane + kStep)...);
  a = low;
}

template <int kStep = 1>
STATEWISE_INLINE void transpose(Vec (&v)[kWidth]) {
  if constexpr (kStep < kWidth) {
#pragma GCC unroll 16
    for (int i = 0; i < kWidth; i++)
      if (!(i & kStep)) exchange<kStep>(v[i], v[i + kStep], std::make_index_sequence<kWidth>());
    transpose<2 * kStep>(v);
  }
}

// Whether any of `count` floats is not 0.
inline bool any_nonzero(const float* from, long count) {
  unsigned found = 0;
  for (long i = 0; i < count; i++) {
    unsigned bits;
    std::memcpy(&bits, from + i, sizeof bits);
    found |= bits << 1;  // without the sign of -0
  }
  return found != 0;
}

typedef int Lanes __attribute__((vector_size(kWidth * sizeof(int))));

// tanh(x) as a fraction. Both polynomials in x * x have positive coefficients only, so that nothing cancels; fitted to
// tanh(x) / x on [-9, 9] with a relative error of at most 2.1e-8 (tests/native/fit_tanh.py), a third of a float's.
struct Fraction {
  Vec above, below;
};

STATEWISE_INLINE Fraction tanh_fraction(Vec x) {
  Vec y = x * x;
  y = y > 81.0f ? all(81.0f) : y;  // NaN, which is not above, stays NaN
  Vec p = y * 1.3353449985258718e-08f + 2.0608212642294093e-05f;
  p = p * y + 3.495536268810287e-03f;
  p = p * y + 1.3380982618275047e-01f;
  p = p * y + 9.999999796279138e-01f;
  Vec q = y * 7.776062643723313e-07f + 3.285549132079769e-04f;
  q = q * y + 2.587678670660774e-02f;
  q = q * y + 4.6714298276551475e-01f;
  q = q * y + 1.0f;
  return {x * p, q};
}

// 1 or -1 for x beyond 9 or -9, otherwise `tanh_x`: a gate a little below 1 would drain a memory over thousands of
// steps.
STATEWISE_INLINE Vec saturated(Vec x, Vec tanh_x) {
  const Lanes bits = (Lanes)x, sign = bits & static_cast<int>(0x80000000u);
  const Lanes one = sign | 0x3F800000;
  const Lanes size = bits ^ sign, nine = Lanes{} + 0x41100000, infinity = Lanes{} + 0x7F800000;
  return ((size >= nine) & (size <= infinity)) ? (Vec)one : tanh_x;
}

STATEWISE_INLINE Vec tanh(Vec x) {
  const Fraction f = tanh_fraction(x);
  return saturated(x, f.above / f.below);
}

// The same of several vectors with one division, which costs as much as a dozen multiplications.
STATEWISE_INLINE void tanh(const Vec (&x)[2], Vec (&out)[2]) {
  const Fraction f[2] = {tanh_fraction(x[0]), tanh_fraction(x[1])};
  const Vec inverse = 1.0f / (f[0].below * f[1].below);
  out[0] = saturated(x[0], f[0].above * (inverse * f[1].below));
  out[1] = saturated(x[1], f[1].above * (inverse * f[0].below));
}

STATEWISE_INLINE void tanh(const Vec (&x)[4], Vec (&out)[4]) {
  const Fraction f[4] = {tanh_fraction(x[0]), tanh_fraction(x[1]), tanh_fraction(x[2]), tanh_fraction(x[3])};
  const Vec left = f[0].below * f[1].below, right = f[2].below * f[3].below;
  const Vec inverse = 1.0f / (left * right), of_left = inverse * right, of_right = inverse * left;
  out[0] = saturated(x[0], f[0].above * (of_left * f[1].below));
  out[1] = saturated(x[1], f[1].above * (of_left * f[0].below));
  out[2] = saturated(x[2], f[2].above * (of_right * f[3].below));
  out[3] = saturated(x[3], f[3].above * (of_right * f[2].below));
}

// e to the power of x: 2^n e^r with |r| <= ln(2) / 2, and a polynomial for e^r with a relative error of 3e-9
// (tests/native/fit_exp.py). Below -104 it is 0, above 89 infinite.
STATEWISE_INLINE Vec exp(Vec x) {
  x = x < -104.0f ? all(-104.0f) : x;
  x = x > 89.0f ? all(89.0f) : x;
  const float round = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number
  const Vec shifted = x * 1.44269504f + round;
  const Lanes n = (Lanes)shifted - 0x4B400000;
  const Vec whole = shifted - round;
  const Vec r = (x - whole * 0.693359375f) + whole * 2.12194440e-4f;
  Vec p = r * 1.38146124e-3f + 8.3687099e-3f;
  p = p * r + 4.16683874e-2f;
  p = p * r + 1.66665207e-1f;
  p = p * r + 4.99999935e-1f;
  p = p * r * r + r + 1.0f;
  const Lanes first = n >> 1;  // in two factors, since 2^128 overflows and 2^-127 is subnormal
  const Lanes one = (first + 127) << 23, other = (n - first + 127) << 23;
  return p * (Vec)one * (Vec)other;
}

// 1 / (1 + e^-x), with all digits also where it is small.
STATEWISE_INLINE Vec sigmoid(Vec x) {
  const Vec minus_size = x > 0.0f ? -x : x;
  const Vec small = exp(minus_size);
  return (x >= 0.0f ? all(1.0f) : small) / (1.0f + small);
}

// 1 / x for x > 0 to within two units in the last place, and 1e37 for x below 1e-37: an approximation by the processor
// and a step of Newton's method take a third of the time of a division.
STATEWISE_INLINE Vec reciprocal(Vec x) {
  x = x < 1e-37f ? all(1e-37f) : x;  // of less, the processor's approximation is infinite
#if defined(__AVX512F__)
  const Vec guess = _mm512_maskz_rcp14_ps(0xFFFF, x);
#elif defined(__AVX2__)
  const Vec guess = _mm256_rcp_ps(x);
#else
  return 1.0f / x;
#endif
#if defined(__AVX2__)
  return guess * (2.0f - x * guess);
#endif
}

// The square root of x >= 0, likewise.
STATEWISE_INLINE Vec root(Vec x) {
#if defined(__AVX2__)
  const Vec positive = x < 1e-37f ? all(1e-37f) : x;
#if defined(__AVX512F__)
  const Vec guess = _mm512_maskz_rsqrt14_ps(0xFFFF, positive);
#else
  const Vec guess = _mm256_rsqrt_ps(positive);
#endif
  const Vec near = x * guess;
  return near + 0.5f * guess * (x - near * near);
#else
  Vec result;
  for (int i = 0; i < kWidth; i++) result[i] = std::sqrt(x[i]);
  return result;
#endif
}

}  // namespace statewise
