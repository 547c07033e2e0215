"""Rules of published benchmarks, pure functions of an answer; each has a strict and an official profile."""
