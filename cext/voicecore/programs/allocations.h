/* Counts allocations, and lets one of them fail. This program's malloc comes before libc's, for everything in it. */
#ifndef ALLOCATIONS_H
#define ALLOCATIONS_H
#include <stdatomic.h>

extern atomic_long allocations; /* and frees, by any thread */
extern atomic_long unfreed;     /* allocated and not yet freed */
extern atomic_long fails_at;    /* so many allocations from now: that one gets nothing; 0: none fails */

#endif
