#include "clock.h"

#define WINDOW 256 /* ticks: 5 s */

void sa_clock_init(sa_clock *clock, int tells_all, uint64_t now_us)
{
    *clock = (sa_clock){.began_us = now_us, .tells_all = tells_all, .least = INT64_MAX};
}

void sa_clock_tick(sa_clock *clock, uint64_t now_us)
{
    uint64_t passed = now_us - clock->began_us;
    clock->asked = clock->tells_all ? clock->asked + 1 : passed / SA_TICK_US;
    int64_t late = (int64_t)passed - (int64_t)(clock->asked * SA_TICK_US);
    clock->least = late < clock->least ? late : clock->least;
    if (clock->asked / WINDOW == clock->windows)
        return;
    clock->first = clock->windows ? clock->first : clock->least;
    clock->last = clock->least;
    clock->windows = clock->asked / WINDOW;
    clock->least = INT64_MAX;
}

int sa_clock_ppm(const sa_clock *clock)
{
    if (clock->windows < 2)
        return 0;
    int64_t between_us = (int64_t)(clock->windows - 1) * WINDOW * SA_TICK_US;
    return (int)((clock->first - clock->last) * 1000000 / between_us);
}
