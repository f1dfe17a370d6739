/* A span through the control file: how it is, how it is framed, loops. */
#ifndef VC_DAHDI_SPAN_H
#define VC_DAHDI_SPAN_H
#include "block.h"

/* cffi */
/* Bits of vc_dahdi_span.alarms, and of a channel's. */
typedef enum {
    VC_ALARM_RECOVERING = 0x01,
    VC_ALARM_LOOP = 0x02,
    VC_ALARM_YELLOW = 0x04,
    VC_ALARM_RED = 0x08,
    VC_ALARM_BLUE = 0x10,
    VC_ALARM_NOT_OPEN = 0x20
} vc_dahdi_alarm;

/* Bits of a line's configuration; of E1 only. */
typedef enum {
    VC_LINE_AMI = 0x040,
    VC_LINE_CCS = 0x100,
    VC_LINE_HDB3 = 0x200,
    VC_LINE_CRC4 = 0x400
} vc_dahdi_line;

typedef struct {
    int32_t number;
    char name[20], description[40], type[6];
    uint32_t alarms;
    uint32_t line;       /* as it was configured; 0: not, or the driver has no framing */
    uint32_t line_modes; /* that the driver knows; 0: an analog span */
    int32_t clock_source; /* the span that this card takes its clock from; 0: its own */
    int32_t channels, configured;
    /* Since the driver started. */
    uint32_t bipolar_violations, code_violations, crc4_errors, e_bits, frame_errors, alignment_errors, bit_errors,
        errored_seconds, missed_interrupts;
} vc_dahdi_span;

/* -EINVAL: there is no such span. */
int vc_dahdi_get_span(int control, int span, vc_dahdi_span *out);
/* `line` of vc_dahdi_line; `clock_order` 0: its clock is never taken, 1: first, 2 … . 0 proves nothing: a driver without
   framing takes all. -ENXIO: no such span; -EINVAL: not what its driver can. */
int vc_dahdi_configure_span(int control, int span, uint32_t line, int clock_order);
/* Takes it into service and hangs up its channels; one that runs is left alone. */
int vc_dahdi_start_span(int control, int span);

typedef enum {
    VC_LOOP_NONE = 0,
    VC_LOOP_LOCAL = 1,   /* what we send comes back to us */
    VC_LOOP_REMOTE = 2   /* what the far end sends goes back to it */
} vc_dahdi_loop;

/* -ENOSYS: its driver has no such thing. */
int vc_dahdi_loop_span(int control, int span, vc_dahdi_loop loop);
/* end cffi */

#endif
