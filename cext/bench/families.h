/* The twelve families, filled in packet by packet. */
#ifndef FAMILIES_H
#define FAMILIES_H
#include "trace.h"

/* sent_ms and arrived_ms of each packet of `made`. */
void family_fill(trace *made, int family, uint64_t seed, double scale);

#endif
