/* Lines for the engine without DAHDI: socket pairs, whose other end a program moves block by block. */
#ifndef LINES_H
#define LINES_H
#include "engine.h"

#define LINES 8

typedef struct {
    vc_engine *engine;
    int own[LINES], far[LINES]; /* ends of the pairs; own is the engine's */
    int slot[LINES];
    long events, recorded, blocks;
} lines;

/* 0, or -errno with nothing left open. */
int lines_open(lines *all);
void lines_close(lines *all);
/* A job of another kind on each line. */
int lines_start(lines *all);
/* One block each way on each line: what the engine sent comes back to it. Takes what it tells. */
int lines_tick(lines *all);
/* All jobs stop; waits until they are done, for some seconds at most, takes the results and frees the slots. */
int lines_stop(lines *all);

#endif
