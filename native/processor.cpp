// Which instructions this processor has, in code that runs on any. The other libraries are loaded only afterwards.

extern "C" __attribute__((visibility("default"))) const char* statewise_instructions() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512cd") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
    return "x86-64-v4";
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2"))
    return "x86-64-v3";
  return "";
#elif defined(__aarch64__)
  return "aarch64";
#else
  return "";
#endif
}
