/* Times products of an OpenBLAS library, in a process of its own: its threads
 * go on spinning after a call.
 *
 * usage: openblas LIBRARY
 * Reads lines "product transA transB m n k seconds" and answers each
 * with a line of JSON. Matrices are filled as package perf fills them. */
#define _POSIX_C_SOURCE 200809L
#include <dlfcn.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef void sgemm_t(int order, int transA, int transB, int m, int n, int k, float alpha, const float *a, int lda,
                     const float *b, int ldb, float beta, float *c, int ldc);
enum { ROW_MAJOR = 101, NO_TRANS = 111, TRANS = 112 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void *symbol(void *library, const char *name) {
  void *s = dlsym(library, name);
  if (!s) {
    fprintf(stderr, "%s\n", dlerror());
    exit(1);
  }
  return s;
}

static float *matrix(size_t n) {
  float *x = aligned_alloc(64, (n * sizeof *x + 63) / 64 * 64);
  if (!x) {
    fprintf(stderr, "out of memory\n");
    exit(1);
  }
  return x;
}

static uint32_t fill(float *x, size_t n, uint32_t state) {
  for (size_t i = 0; i < n; i++) {
    state = state * 1664525u + 1013904223u;
    x[i] = (float)(state >> 8) / (1 << 24) - 0.5f;
  }
  return state;
}

int main(int argc, char **argv) {
  if (argc != 2) {
    fprintf(stderr, "usage: openblas LIBRARY\n");
    return 2;
  }
  void *library = dlopen(argv[1], RTLD_NOW);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  sgemm_t *sgemm = (sgemm_t *)symbol(library, "cblas_sgemm");
  char *(*config)(void) = (char *(*)(void))symbol(library, "openblas_get_config");
  char *(*core)(void) = (char *(*)(void))symbol(library, "openblas_get_corename");
  int (*threads)(void) = (int (*)(void))symbol(library, "openblas_get_num_threads");
  printf("{\"version\": \"%s\", \"core\": \"%s\", \"threads\": %d}\n", config(), core(), threads());
  fflush(stdout);

  char line[256];
  while (fgets(line, sizeof line, stdin)) {
    int ta, tb, m, n, k;
    double seconds;
    if (sscanf(line, "product %d %d %d %d %d %lf", &ta, &tb, &m, &n, &k, &seconds) != 6) {
      fprintf(stderr, "not understood: %s", line);
      return 1;
    }
    size_t na = (size_t)m * k, nb = (size_t)k * n, nc = (size_t)m * n;
    float *a = matrix(na), *b = matrix(nb), *c = matrix(nc);
    fill(b, nb, fill(a, na, 1));
    memset(c, 0, nc * sizeof *c);
    double warm = seconds < 0.03 ? seconds : 0.03, check = 0, start = now();
    long calls = 0;
#define CALL() sgemm(ROW_MAJOR, ta ? TRANS : NO_TRANS, tb ? TRANS : NO_TRANS, m, n, k, 1, a, ta ? m : k, b, tb ? k : n, 0, c, n)
    CALL();
    for (size_t i = 0; i < nc; i++)
      check += fabs(c[i]);
    start = now();
    do
      CALL();
    while (now() - start < warm);
    double took = 0;
    start = now();
    while (took < seconds || calls == 0) {
      CALL();
      calls++;
      took = now() - start;
    }
    printf("{\"calls\": %ld, \"seconds\": %.9f, \"check\": %.9g}\n", calls, took, check);
    fflush(stdout);
    free(a);
    free(b);
    free(c);
  }
  return 0;
}
