// Drawing a symbol from a network's scores, with the random numbers that jax.random draws from the same key.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>

namespace statewise {

struct Key {
  uint32_t high, low;
};

// Enciphers a counter: Threefry-2x32 with 20 rounds (Salmon et al. 2011).
inline Key threefry(Key key, Key counter) {
  constexpr int kRotations[2][4] = {{13, 15, 26, 6}, {17, 29, 16, 24}};
  const uint32_t keys[3] = {key.high, key.low, key.high ^ key.low ^ 0x1BD11BDAu};
  uint32_t high = counter.high + keys[0], low = counter.low + keys[1];
  for (int group = 0; group < 5; group++) {
    for (int rotation : kRotations[group % 2]) {
      high += low;
      low = (low << rotation | low >> (32 - rotation)) ^ high;
    }
    high += keys[(group + 1) % 3];
    low += keys[(group + 2) % 3] + static_cast<uint32_t>(group + 1);
  }
  return {high, low};
}

// Gumbel noise (Gumbel 1954): the largest of scores plus such noise is a draw from their softmax.
inline float gumbel(Key key, long place) {
  const Key drawn = threefry(key, {0, static_cast<uint32_t>(place)});
  const float uniform = static_cast<float>((drawn.high ^ drawn.low) >> 9) * 0x1p-23f;
  return -std::log(-std::log(std::max(uniform, std::numeric_limits<float>::min())));
}

// How a symbol is drawn; as `Sampling` in src/statewise/text/generation.py, with 0 where an option is not given.
struct Sampling {
  double temperature;  // 0 takes the most likely symbol
  int64_t top_k;
  double top_p;
  int64_t seed_high, seed_low;  // the key
};

// Replaces the scores of symbols that are not to be drawn by minus infinity; `order` has room for all symbols.
inline void drop_unlikely(const Sampling& sampling, float* scores, int64_t* order, long symbols) {
  for (long k = 0; k < symbols; k++) order[k] = k;
  std::stable_sort(order, order + symbols, [&](int64_t a, int64_t b) { return scores[a] > scores[b]; });
  const float top = scores[order[0]];
  double total = 0, before = 0;
  for (long k = 0; k < symbols; k++) total += std::exp(scores[k] - top);
  for (long place = 0; place < symbols; place++) {
    float& score = scores[order[place]];
    const double share = std::exp(score - top) / total;
    const bool kept = (!sampling.top_k || place < sampling.top_k) && (sampling.top_p <= 0 || before < sampling.top_p);
    before += share;
    if (!kept) score = -std::numeric_limits<float>::infinity();
  }
}

// Draws the symbol number `index` of a sequence; the scores are changed.
inline long draw(const Sampling& sampling, float* scores, int64_t* order, long symbols, long index) {
  const float temperature = static_cast<float>(sampling.temperature);
  if (temperature != 0)
    for (long k = 0; k < symbols; k++) scores[k] /= temperature;
  if (sampling.top_k || sampling.top_p > 0) drop_unlikely(sampling, scores, order, symbols);
  if (temperature != 0) {
    const Key seed{static_cast<uint32_t>(sampling.seed_high), static_cast<uint32_t>(sampling.seed_low)};
    const Key key = threefry(seed, {0, static_cast<uint32_t>(index)});
    for (long k = 0; k < symbols; k++) scores[k] += gumbel(key, k);
  }
  long best = 0;
  for (long k = 1; k < symbols; k++)  // the first that is not a number, as XLA's argmax
    if (scores[k] > scores[best] || (std::isnan(scores[k]) && !std::isnan(scores[best]))) best = k;
  return best;
}

}  // namespace statewise
