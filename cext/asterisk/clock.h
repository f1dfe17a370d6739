/* Which ticks Asterisk's timer has asked for, and how its clock goes beside the system's. Knows nothing of Asterisk. */
#ifndef SA_CLOCK_H
#define SA_CLOCK_H
#include <stdint.h>

#define SA_TICK_US 20000
#define SA_TICKS_A_SECOND 50

typedef struct {
    uint64_t began_us;
    uint64_t asked; /* ticks, since then */
    int tells_all;  /* whether the timer makes up for ticks that nobody waited for */
    int64_t least;  /* least lateness of the ticks of this window: a busy machine only ever adds to it */
    int64_t first, last; /* that of the first and of the last whole window */
    uint64_t windows;
} sa_clock;

/* `tells_all`: a tick that came while nobody looked is told later (DAHDI); else it is the system's clock itself that
   knows how many there were (timerfd). */
void sa_clock_init(sa_clock *clock, int tells_all, uint64_t now_us);
/* The timer went off. */
void sa_clock_tick(sa_clock *clock, uint64_t now_us);
/* Parts of a million by which the timer is faster than the system's clock; 0 until 10 s are over. */
int sa_clock_ppm(const sa_clock *clock);

#endif
