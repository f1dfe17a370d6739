#include "oracle.h"

#include <math.h>
#include <stdlib.h>

#define LEVELS 32
#define OFFSETS 4 /* where the clocks drift, a constant delay has a place between the grid's points */
#define SECOND 50 /* packets */

/* The first tick that is not before. */
static double tick_from(double time_ms, double phase_ms)
{
    return ceil((time_ms - phase_ms) / TICK_MS - 1e-9) * TICK_MS + phase_ms;
}

static double plays_at(const trace *of, double phase_ms, int packet, double delay_ms)
{
    return tick_from(of->sent_ms[packet] + delay_ms, phase_ms);
}

/* delay_ms[n / SECOND] is that of packet n; NULL: `constant_ms`. */
static result play(const trace *of, double phase_ms, const double *delay_ms, double constant_ms)
{
    score scored;
    if (score_open(&scored, of))
        abort();
    for (int n = 0; n < of->packets; n++) {
        double now_ms = plays_at(of, phase_ms, n, delay_ms ? delay_ms[n / SECOND] : constant_ms);
        if (of->arrived_ms[n] <= now_ms)
            score_add(&scored, now_ms, &(played){.media_ms = n * PACKET_MS, .length_ms = PACKET_MS});
    }
    return score_close(&scored);
}

result oracle_fixed(const trace *of, double phase_ms)
{
    result best = {.r = -INFINITY};
    for (int place = 0; place < LEVELS * OFFSETS; place++) {
        result got = play(of, phase_ms, NULL, place * TICK_MS / OFFSETS);
        best = got.r > best.r ? got : best;
    }
    return best;
}

/* What a second costs in R of its window, losses taken as they weigh when they are few. */
static double cost(const trace *of, double phase_ms, int second, double delay_ms)
{
    double waited_ms = 0, late = 0, kept = 0;
    for (int n = second * SECOND; n < (second + 1) * SECOND && n < of->packets; n++) {
        double now_ms = plays_at(of, phase_ms, n, delay_ms);
        int is_late = isfinite(of->arrived_ms[n]) && of->arrived_ms[n] > now_ms;
        late += is_late;
        kept += !is_late;
        waited_ms += is_late ? 0 : now_ms - of->sent_ms[n];
    }
    double ta = PACKET_MS + (kept > 0 ? waited_ms / kept : 0), p = 100 * late / SECOND;
    return 0.024 * ta + 0.11 * fmax(ta - 177.3, 0) + 95 * p / 25.1;
}

result oracle_clairvoyant(const trace *of, double phase_ms)
{
    int seconds = of->packets / SECOND + 1;
    double *delay_ms = malloc((size_t)seconds * sizeof *delay_ms);
    if (!delay_ms)
        abort();
    for (int i = 0; i < seconds; i++) {
        double least = INFINITY;
        for (int level = 0; level < LEVELS; level++) {
            double here = cost(of, phase_ms, i, level * TICK_MS);
            if (here < least) {
                least = here;
                delay_ms[i] = level * TICK_MS;
            }
        }
    }
    result got = play(of, phase_ms, delay_ms, 0);
    free(delay_ms);
    return got;
}
