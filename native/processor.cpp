// Which instructions this processor and system have, in code that runs on any. The other libraries are loaded only
// afterwards. Asked of the processor itself, since not every compiler's __builtin_cpu_supports works in a library.

#if defined(__x86_64__)
#include <cpuid.h>

namespace {

bool has(unsigned word, unsigned bits) { return (word & bits) == bits; }

// Which registers the system saves when it changes between processes.
unsigned saved_registers() {
  unsigned low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

const char* instructions() {
  constexpr unsigned kXsave = 1u << 27, kAvx = 1u << 28, kFma = 1u << 12, kMovbe = 1u << 22, kF16c = 1u << 29;
  constexpr unsigned kBmi1 = 1u << 3, kAvx2 = 1u << 5, kBmi2 = 1u << 8, kLzcnt = 1u << 5;
  constexpr unsigned kAvx512 = 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31;  // F, DQ, CD, BW, VL
  constexpr unsigned kVectors = 0x06, kWideVectors = 0xE0;
  unsigned a, b, c, d, first, seventh, extended;
  if (!__get_cpuid(1, &a, &b, &first, &d) || !has(first, kXsave | kAvx | kFma | kMovbe | kF16c)) return "";
  if (!__get_cpuid_count(7, 0, &a, &seventh, &c, &d) || !has(seventh, kBmi1 | kAvx2 | kBmi2)) return "";
  if (!__get_cpuid(0x80000001, &a, &b, &extended, &d) || !has(extended, kLzcnt)) return "";
  const unsigned saved = saved_registers();
  if (!has(saved, kVectors)) return "";
  return has(seventh, kAvx512) && has(saved, kVectors | kWideVectors) ? "x86-64-v4" : "x86-64-v3";
}

}  // namespace
#else
static const char* instructions() {
#if defined(__aarch64__)
  return "aarch64";
#else
  return "";
#endif
}
#endif

extern "C" __attribute__((visibility("default"))) const char* statewise_instructions() { return instructions(); }
