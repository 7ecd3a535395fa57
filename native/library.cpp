// The library: everything that is exported, besides the handlers.
#include "check.h"
#include "generate.h"
#include "handlers.h"
#include "stream_check.h"

#pragma GCC visibility push(default)
extern "C" {

// See INTERFACE in src/statewise/native/library.py.
int statewise_interface() { return 4; }

const char* statewise_instructions() { return STATEWISE_INSTRUCTIONS; }

const char* statewise_identity() { return STATEWISE_IDENTITY; }

// How many floats the tape of a cell holds, 0 for the LSTM and 1 for the GRU.
long statewise_tape_size(long cell, long B, long T, long F, long H) {
  const statewise::Sizes n{B, T, F, H};
  return cell ? statewise::tape_size<statewise::GruCell>(n) : statewise::tape_size<statewise::LstmCell>(n);
}

// How many floats the gradients of the slots take.
long statewise_panels_size(long B, long T, long F, long H) { return statewise::panels_size({B, T, F, H}); }

// Both passes of a cell on one thread, for the check when the library is loaded; see check.h.
void statewise_check(long cell, long B, long T, long F, long H, const float* given, float* results) {
  const statewise::Sizes n{B, T, F, H};
  if (cell)
    statewise::check<statewise::GruCell>(n, given, results);
  else
    statewise::check<statewise::LstmCell>(n, given, results);
}

// The number of the first instruction that addresses anything outside of the table's arrays, or -1; see stream_check.h.
long statewise_stream_check(const statewise::Table* table) { return statewise::first_invalid(*table); }

// One step of streams; see stream.h. They read `x`, or the table's numbers if that is null. Returns 0, or why nothing
// was done.
long statewise_stream_step(statewise::Table* table, const float* x) {
  return x ? statewise::stream_step(*table, x) : statewise::stream_step(*table, table->x);
}

// Continues one stream by `count` symbols, numbered from `first` on. Each is drawn from `scores`, which afterwards hold
// those of the next. Returns 0, or why nothing more was done.
long statewise_generate(statewise::Table* table, const statewise::Sampling* sampling, float* scores, int64_t* order, long first,
                        long count, int64_t* symbols) {
  return statewise::generate(*table, *sampling, scores, order, first, count, symbols);
}
}
#pragma GCC visibility pop
