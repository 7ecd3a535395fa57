// Generation as one loop: a symbol is drawn from the scores, and a step of a stream makes the next scores of it.
#pragma once

#include "sampling.h"
#include "stream.h"

namespace statewise {

// `t` is the table of one stream that reads symbols, and whose answers are scores.
inline Outcome generate(Table& t, const Sampling& sampling, float* scores, int64_t* order, long first, long count,
                        int64_t* symbols) {
  double symbol;
  t.n = 1, t.x = &symbol, t.y = scores;
  for (long i = 0; i < count; i++) {
    symbols[i] = draw(sampling, scores, order, t.answer_size, first + i);
    symbol = static_cast<double>(symbols[i]);
    if (const Outcome outcome = stream_step(t)) return outcome;
  }
  return kDone;
}

}  // namespace statewise
