#include "random.h"

#include <math.h>

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next(randoms *source)
{
    uint64_t z = (source->state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* Above 0 and below 1, so that its logarithm is finite. */
static double unit(randoms *source)
{
    return ((double)(next(source) >> 11) + 0.5) * 0x1p-53;
}

void random_init(randoms *source, uint64_t seed, uint64_t stream)
{
    source->state = seed;
    source->state = next(source) ^ (stream * 0xd1342543de82ef95u);
    (void)next(source);
}

double random_uniform(randoms *source, double low, double high)
{
    return low + (high - low) * unit(source);
}

double random_exp(randoms *source, double mean)
{
    return -mean * log(unit(source));
}

double random_normal(randoms *source, double deviation)
{
    double size = sqrt(-2 * log(unit(source)));
    return deviation * size * cos(2 * 3.14159265358979323846 * unit(source));
}

/* Marsaglia and Tsang 2000. */
double random_gamma(randoms *source, double shape, double scale)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = random_normal(source, 1), v = 1 + c * x;
        v = v * v * v;
        if (v > 0 && log(unit(source)) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v * scale;
    }
}

double random_pareto(randoms *source, double exponent)
{
    return pow(unit(source), -1 / exponent);
}
