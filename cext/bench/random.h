/* Random numbers of the bench: the same on each machine for the same seed. */
#ifndef RANDOM_H
#define RANDOM_H
#include <stdint.h>

typedef struct {
    uint64_t state;
} randoms;

/* `stream` makes independent sequences of one seed. */
void random_init(randoms *source, uint64_t seed, uint64_t stream);
double random_uniform(randoms *source, double low, double high);
double random_exp(randoms *source, double mean);
double random_normal(randoms *source, double deviation);
/* Mean = shape * scale; shape >= 1. */
double random_gamma(randoms *source, double shape, double scale);
/* Classical Pareto: at least 1. */
double random_pareto(randoms *source, double exponent);

#endif
