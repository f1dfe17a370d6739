/* What a put and a get cost, in ns of this thread. */
#ifndef COST_H
#define COST_H

typedef struct {
    double null;       /* the loop that walks through the trace */
    double decode;     /* 160 samples of A-law */
    double buffer;     /* put, and get without sound: its 160 bytes are copied */
    double decode_plc; /* put, and get with sound; a quiet network */
    double loss3;      /* the same with 3 % lost */
    double streams;    /* as buffer, with 1000 calls in turn, which no cache holds */
    double allocs_per_tick;
} costs;

void measure_costs(costs *measured, unsigned long long seed);

#endif
