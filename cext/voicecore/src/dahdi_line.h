/* The signalling of an open channel: hook, dialling, ringing, bits, and what happens on the line. */
#ifndef VC_DAHDI_LINE_H
#define VC_DAHDI_LINE_H
#include "block.h"

/* cffi */
typedef enum {
    VC_HOOK_ON = 0,
    VC_HOOK_OFF = 1,
    VC_HOOK_FLASH = 3,    /* FXO, when it is off hook */
    VC_HOOK_RING = 5,     /* FXS: rings in its cadence until it is told otherwise */
    VC_HOOK_RING_OFF = 6
} vc_dahdi_hook;

/* What takes time goes on by itself; VC_EVENT_HOOK_COMPLETE tells its end. -EBUSY: not from the state it is in; -ENODATA: no
   tone zone is loaded, so there is no cadence; -EINVAL: the line has no hook. */
int vc_dahdi_set_hook(int fd, vc_dahdi_hook hook);

#define VC_DIAL_MOST 255

/* "T" (tones) or "P" (pulses), then digits; "W" waits half a second. "" ends what is being dialled. Anything written to the
   channel ends it, too. -ENODATA: no tone zone is loaded. */
int vc_dahdi_dial(int fd, const char *digits);
int vc_dahdi_is_dialling(int fd, int *out);
int vc_dahdi_set_digit_ms(int control, int dtmf_ms, int r2_ms);

/* Ring, silence, ring, silence …; up to 16 numbers, in ms. */
int vc_dahdi_set_ring_cadence(int fd, const int *ms, int count);
/* Of a line's bits (CAS): A B C D, A the highest. -EINVAL: the line has none. */
int vc_dahdi_send_bits(int fd, int bits);
/* FXS: 1 turns the line's polarity. -ENOTTY, -ENOSYS: its driver cannot. */
int vc_dahdi_set_polarity(int fd, int reversed);
/* The driver hears digits and tells VC_EVENT_DIGIT_DOWN. -ENOTTY, -ENOSYS: it cannot; ours are in receivers.h. */
int vc_dahdi_detect_digits(int fd, int on);

/* Numbers are DAHDI's; others may come. */
typedef enum {
    VC_EVENT_NONE = 0,
    VC_EVENT_ON_HOOK = 1,
    VC_EVENT_RING_OR_OFF_HOOK = 2, /* FXS: lifted; FXO: a ring is over */
    VC_EVENT_FLASH = 3,
    VC_EVENT_ALARM = 4,
    VC_EVENT_ALARM_OVER = 5,
    VC_EVENT_DIAL_COMPLETE = 9,
    VC_EVENT_RINGER_ON = 10,
    VC_EVENT_RINGER_OFF = 11,
    VC_EVENT_HOOK_COMPLETE = 12,
    VC_EVENT_BITS = 13,
    VC_EVENT_POLARITY = 17,
    VC_EVENT_RING_BEGIN = 18,
    VC_EVENT_REMOVED = 20,
    VC_EVENT_OVERRUN = 29,  /* nobody took the sound that came; see vc_dahdi_tell_runs */
    VC_EVENT_UNDERRUN = 30, /* there was no more sound to send */
    VC_EVENT_PULSE_DIGIT = 0x10000, /* with the digit in the lower bits, as of these */
    VC_EVENT_DIGIT_DOWN = 0x20000,
    VC_EVENT_DIGIT_UP = 0x40000
} vc_dahdi_event;

/* The next event (VC_EVENT_NONE: none waits) as DAHDI numbers it. A channel with events waiting is ready for POLLPRI, and
   neither reads nor writes (errno 500) until they have been taken. */
int vc_dahdi_get_event(int fd, int *out);
/* Waits for one. -ETIMEDOUT: none came within the time; -ENODEV: the card is gone. */
int vc_dahdi_wait_event(int fd, int within_ms, int *out);
/* end cffi */

#endif
