/* Bounds to compare with: players that know the whole trace. */
#ifndef ORACLE_H
#define ORACLE_H
#include "score.h"

/* The best constant delay on the grid of ticks; slips of a drifting clock cost it nothing. */
result oracle_fixed(const trace *of, double phase_ms);
/* The best delay of each second, known ahead; going from one to the next costs nothing. */
result oracle_clairvoyant(const trace *of, double phase_ms);

#endif
