// Vectors of floats as wide as the processor's registers, and the functions of gates on them.
#pragma once

#include <cstring>

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

STATEWISE_INLINE Vec all(float value) { return value - Vec{}; }

// The first `count` floats, and zeros.
STATEWISE_INLINE Vec load_first(const float* from, long count) {
  if (count >= kWidth) return load(from);
  Vec v{};
  for (long i = 0; i < count; i++) v[i] = from[i];
  return v;
}

STATEWISE_INLINE void store_first(float* to, Vec v, long count) {
  if (count >= kWidth) return store(to, v);
  for (long i = 0; i < count; i++) to[i] = v[i];
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

// tanh(x) as a fraction. Both polynomials in x * x have positive coefficients only, so that nothing cancels; fitted to
// tanh(x) / x on [-9, 9] with a relative error of at most 2.1e-8 (tests/native/fit_tanh.py), a third of a float's.
struct Fraction {
  Vec above, below;
};

STATEWISE_INLINE Fraction tanh_fraction(Vec x) {
  // Written so that NaN, which is neither above nor below, stays NaN.
  x = x > 9.0f ? all(9.0f) : x;
  x = x < -9.0f ? all(-9.0f) : x;
  const Vec y = x * x;
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

STATEWISE_INLINE Vec value(Fraction f) { return f.above / f.below; }

STATEWISE_INLINE Vec tanh(Vec x) { return value(tanh_fraction(x)); }

STATEWISE_INLINE Vec sigmoid(Vec x) { return tanh(x * 0.5f) * 0.5f + 0.5f; }

// The values of several fractions with one division, which costs as much as a dozen multiplications.
STATEWISE_INLINE void values(const Fraction (&f)[2], Vec (&out)[2]) {
  const Vec inverse = 1.0f / (f[0].below * f[1].below);
  out[0] = f[0].above * (inverse * f[1].below);
  out[1] = f[1].above * (inverse * f[0].below);
}

STATEWISE_INLINE void values(const Fraction (&f)[4], Vec (&out)[4]) {
  const Vec left = f[0].below * f[1].below, right = f[2].below * f[3].below;
  const Vec inverse = 1.0f / (left * right), of_left = inverse * right, of_right = inverse * left;
  out[0] = f[0].above * (of_left * f[1].below);
  out[1] = f[1].above * (of_left * f[0].below);
  out[2] = f[2].above * (of_right * f[3].below);
  out[3] = f[3].above * (of_right * f[2].below);
}

}  // namespace statewise
