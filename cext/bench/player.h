/* A jitter buffer under test: it is given packets as they come and asked for sound every tick, and knows nothing else. */
#ifndef PLAYER_H
#define PLAYER_H
#include "score.h"

typedef struct {
    const char *name;
    double tick_ms; /* 20, or a part of it */
    /* NULL: refused. */
    void *(*open)(void);
    void (*put)(void *self, int packet, double arrived_ms);
    void (*get)(void *self, double now_ms, played *heard);
    void (*close)(void *self);
} player;

extern const player OURS, NETEQ, SPEEXDSP;

/* One call of `of`, with the ticks at `phase_ms`. */
result play_trace(const player *with, const trace *of, double phase_ms);

#endif
