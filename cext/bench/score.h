/* What a listener gets, told tick by tick, and what it is worth: R by ITU-T G.107 in windows of 10 s of media. */
#ifndef SCORE_H
#define SCORE_H
#include "trace.h"

#define WINDOW_MS 10000.0
#define TICK_MS 20.0

/* What sounds in one tick (or half of one), in this order; all in ms. */
typedef struct {
    double concealed_ms; /* made up, before the media */
    double media_ms;     /* media from here, by the sender's count; told only where there is any */
    double length_ms;    /* so much of it, stretched or not; 0: none */
    double after_ms;     /* made up, after it */
} played;

typedef struct {
    double bad_ms, bursts; /* concealed or skipped, and in how many pieces */
    double delay_ms, media_ms;
} window;

typedef struct {
    const trace *of;
    window *windows;
    int count;
    double end_ms;    /* media up to here was played */
    double hidden_ms; /* concealed since */
    int is_started;
} score;

typedef struct {
    double r, delay_ms, bad_pct, lost_pct; /* delay: mouth to ear without the packet's own 20 ms; lost: by the network */
} result;

/* 0, or -ENOMEM. */
int score_open(score *scored, const trace *of);
/* `now_ms`: when the first sample of it sounds. */
void score_add(score *scored, double now_ms, const played *heard);
/* Ends it. */
result score_close(score *scored);

/* R of a window. `bad`: part of the media; `burst_packets`: mean length of a piece. */
double r_factor(double delay_ms, double bad, double burst_packets);

#endif
