/* Channels through the control file: nobody needs to open them to configure or to look. One channel at a time. */
#ifndef VC_DAHDI_CONFIG_H
#define VC_DAHDI_CONFIG_H
#include "block.h"

/* cffi */
typedef enum {
    VC_SIG_NONE = 0,
    VC_SIG_FXS_LOOP = 0x2001,
    VC_SIG_FXS_KEWL = 0x2004, /* an FXO port */
    VC_SIG_FXO_LOOP = 0x1008,
    VC_SIG_FXO_KEWL = 0x1020, /* an FXS port */
    VC_SIG_BEARER = 0x80,
    VC_SIG_DATA_LINK = 0x380,
    VC_SIG_HARD_DATA_LINK = 0x80080,
    VC_SIG_MTP2 = 0x100380,
    VC_SIG_CAS = 0x8000
} vc_dahdi_signalling;

typedef enum { VC_LAW_DEFAULT = 0, VC_LAW_ULAW = 1, VC_LAW_ALAW = 2 } vc_dahdi_law;

/* `idle_bits`: A B C D, A the highest; CAS only. Whoever has the channel open is hung up: look before. -EINVAL: there is
   no such channel, or it cannot be that. */
int vc_dahdi_configure_channel(int control, int channel, vc_dahdi_signalling signalling, vc_dahdi_law law, int idle_bits);
/* Used when an echo canceller is next asked for; "" takes it away. -EINVAL: none of that name is loaded. A card with one of
   its own takes that instead. */
int vc_dahdi_attach_echo_canceller(int control, int channel, const char *name);

typedef struct {
    int32_t number, span, position; /* position within the span, from 1 */
    char name[40];
    int32_t signalling;  /* vc_dahdi_signalling, or another of DAHDI's */
    int32_t signallings; /* that the channel can, all bits */
    int32_t law;         /* it runs with; a new default comes with the next opening */
    uint32_t alarms;
    int32_t off_hook;    /* the far side's; -1: the line has no hook */
    int32_t heard_bits, sent_bits, idle_bits; /* -1: the line has none */
} vc_dahdi_channel;

/* By the control file and the channel's number, or by an open channel (its number is not looked at then). */
int vc_dahdi_get_channel(int fd, int channel, vc_dahdi_channel *out);
/* end cffi */

#endif
