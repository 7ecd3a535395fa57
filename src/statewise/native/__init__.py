"""The native library, written in C++ (`native/` of the repository): finding, loading and checking it."""
