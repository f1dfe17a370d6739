#include "clock.h"

#define WINDOW_US (256 * SA_TICK_US)
#define FASTEST_US (WINDOW_US / 2000) /* a window may be longer or shorter by: clocks differ by 500 ppm at most */
#define MOST_IN_HAND_US (SA_TICK_US * 3 / 2)
#define DOUBT_US (SA_TICK_US / 1000) /* a tick: who hears has a clock of its own */

void sa_drift_init(sa_drift *drift)
{
    *drift = (sa_drift){.least = INT64_MAX};
}

static void end_window(sa_drift *drift, uint64_t next)
{
    int64_t gained = drift->before - drift->least;
    if (drift->window > 0 && next == drift->window + 1 && gained <= FASTEST_US && gained >= -FASTEST_US) {
        drift->gained += gained;
        drift->windows++;
    }
    drift->before = drift->least;
    drift->least = INT64_MAX;
    drift->window = next;
}

void sa_drift_saw(sa_drift *drift, uint64_t its_us, uint64_t system_us)
{
    if (its_us / WINDOW_US != drift->window)
        end_window(drift, its_us / WINDOW_US);
    int64_t late = (int64_t)system_us - (int64_t)its_us;
    drift->least = late < drift->least ? late : drift->least;
}

int sa_drift_ppm(const sa_drift *drift)
{
    return drift->windows ? (int)(drift->gained * 1000000 / ((int64_t)drift->windows * WINDOW_US)) : 0;
}

void sa_clock_init(sa_clock *clock, int tells_all, uint64_t now_us)
{
    *clock = (sa_clock){.began_us = now_us, .heard_us = now_us + SA_TICK_US, .tells_all = tells_all};
    sa_drift_init(&clock->drift);
}

void sa_clock_tick(sa_clock *clock, uint64_t now_us)
{
    uint64_t passed = now_us - clock->began_us;
    clock->asked = clock->tells_all ? clock->asked + 1 : passed / SA_TICK_US;
    sa_drift_saw(&clock->drift, clock->asked * SA_TICK_US, passed);
}

sa_owed sa_clock_next(sa_clock *clock, uint64_t now_us)
{
    if (clock->done >= clock->asked)
        return SA_NOTHING_OWED;
    clock->done++;
    int64_t in_hand = (int64_t)(clock->heard_us - now_us);
    if (in_hand <= -SA_TICK_US || in_hand > MOST_IN_HAND_US) {
        clock->heard_us += in_hand < 0 ? SA_TICK_US : 0; /* silence stood for it */
        clock->left_out++;
        return SA_LEFT_OUT;
    }
    clock->heard_us = (in_hand > 0 ? clock->heard_us - DOUBT_US : now_us) + SA_TICK_US;
    return SA_DUE;
}
