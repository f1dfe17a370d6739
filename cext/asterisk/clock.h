/* Which ticks Asterisk's timer has asked for, which of them are still of use to who hears them, and how clocks go beside the
   system's. Knows nothing of Asterisk. */
#ifndef SA_CLOCK_H
#define SA_CLOCK_H
#include <stdint.h>

#define SA_TICK_US 20000
#define SA_TICKS_A_SECOND 50

/* How much faster a clock goes than the system's. Who looks at it is late, now and then and by any time, never early: so the least
   lateness of each window of 5 s is what counts. */
typedef struct {
    uint64_t window; /* number of this one */
    int64_t least;   /* us; of this window */
    int64_t before;  /* of the one before; meaningless in the first */
    int64_t gained;  /* us, in so many windows */
    uint32_t windows;
} sa_drift;

void sa_drift_init(sa_drift *drift);
/* Both since they began; its own may be set, or jump: that is no drift. */
void sa_drift_saw(sa_drift *drift, uint64_t its_us, uint64_t system_us);
/* Parts of a million; 0 until 10 s are over. */
int sa_drift_ppm(const sa_drift *drift);

typedef struct {
    uint64_t began_us;
    uint64_t asked, done; /* ticks, since then */
    uint64_t heard_us;    /* when all that was handed out is heard */
    uint32_t left_out;    /* ticks */
    int tells_all;        /* whether the timer makes up for ticks that nobody waited for */
    sa_drift drift;       /* of the timer */
} sa_clock;

typedef enum {
    SA_NOTHING_OWED,
    SA_LEFT_OUT, /* silence was heard in its place: handed out after all, it would make all that follows later, for good */
    SA_DUE,
} sa_owed;

/* `tells_all`: a tick that came while nobody looked is told later (DAHDI); else it is the system's clock itself that
   knows how many there were (timerfd). */
void sa_clock_init(sa_clock *clock, int tells_all, uint64_t now_us);
/* The timer went off. */
void sa_clock_tick(sa_clock *clock, uint64_t now_us);
/* The oldest tick that was asked for and not had yet; it is had herewith. */
sa_owed sa_clock_next(sa_clock *clock, uint64_t now_us);

#endif
