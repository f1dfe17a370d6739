/* DAHDI's device files: the control file, one channel, a channel without a line behind it. */
#ifndef VC_DAHDI_DEVICE_H
#define VC_DAHDI_DEVICE_H
#include "block.h"

/* cffi */
/* Each gives a file descriptor (O_CLOEXEC), or -errno. */
int vc_dahdi_open_control(void);
/* Reads and writes do not wait. -ENXIO: not configured; -EBUSY: another program has it; -EINVAL: there is no such number. */
int vc_dahdi_open_channel(int channel);
/* Has a clock, no line: what is written is read nowhere. */
int vc_dahdi_open_pseudo(void);
int vc_dahdi_close(int fd);

typedef struct {
    char dahdi[80];
    char echo_cancellers[80]; /* loaded ones: "mg2, oslec" */
} vc_dahdi_version;

int vc_dahdi_get_version(int control, vc_dahdi_version *out);
/* end cffi */

/* ioctl, again when a signal came. 0, or -errno. */
int vc_dahdi_ask(int fd, unsigned long request, void *argument);

#endif
