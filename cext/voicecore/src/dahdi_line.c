#include "dahdi_line.h"

#include <assert.h>
#include <dahdi/user.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <time.h>

#include "dahdi_device.h"

static_assert((int)VC_HOOK_ON == DAHDI_ONHOOK && VC_HOOK_OFF == DAHDI_OFFHOOK && VC_HOOK_FLASH == DAHDI_FLASH &&
              VC_HOOK_RING == DAHDI_RING && VC_HOOK_RING_OFF == DAHDI_RINGOFF, "hooks are DAHDI's");
static_assert(VC_EVENT_NONE == DAHDI_EVENT_NONE && VC_EVENT_ON_HOOK == DAHDI_EVENT_ONHOOK &&
              VC_EVENT_RING_OR_OFF_HOOK == DAHDI_EVENT_RINGOFFHOOK && VC_EVENT_FLASH == DAHDI_EVENT_WINKFLASH &&
              VC_EVENT_ALARM == DAHDI_EVENT_ALARM && VC_EVENT_ALARM_OVER == DAHDI_EVENT_NOALARM &&
              VC_EVENT_DIAL_COMPLETE == DAHDI_EVENT_DIALCOMPLETE && VC_EVENT_RINGER_ON == DAHDI_EVENT_RINGERON &&
              VC_EVENT_RINGER_OFF == DAHDI_EVENT_RINGEROFF && VC_EVENT_HOOK_COMPLETE == DAHDI_EVENT_HOOKCOMPLETE &&
              VC_EVENT_BITS == DAHDI_EVENT_BITSCHANGED && VC_EVENT_POLARITY == DAHDI_EVENT_POLARITY &&
              VC_EVENT_RING_BEGIN == DAHDI_EVENT_RINGBEGIN && VC_EVENT_REMOVED == DAHDI_EVENT_REMOVED &&
              VC_EVENT_OVERRUN == DAHDI_EVENT_READ_OVERRUN && VC_EVENT_UNDERRUN == DAHDI_EVENT_WRITE_UNDERRUN &&
              VC_EVENT_PULSE_DIGIT == DAHDI_EVENT_PULSEDIGIT && VC_EVENT_DIGIT_DOWN == DAHDI_EVENT_DTMFDOWN &&
              VC_EVENT_DIGIT_UP == DAHDI_EVENT_DTMFUP, "events are DAHDI's");
static_assert(VC_DIAL_MOST == DAHDI_MAX_DTMF_BUF - 1, "room for digits is DAHDI's");

int vc_dahdi_set_hook(int fd, vc_dahdi_hook hook)
{
    int wanted = (int)hook;
    int refused = vc_dahdi_ask(fd, DAHDI_HOOK, &wanted);
    return refused == -EINPROGRESS ? 0 : refused;
}

int vc_dahdi_dial(int fd, const char *digits)
{
    struct dahdi_dialoperation dial;
    if (strlen(digits) > VC_DIAL_MOST || strspn(digits, "TP0123456789*#ABCDWabcdwtp") != strlen(digits))
        return -EINVAL;
    memset(&dial, 0, sizeof dial);
    dial.op = *digits ? DAHDI_DIAL_OP_REPLACE : DAHDI_DIAL_OP_CANCEL;
    strcpy(dial.dialstr, digits);
    return vc_dahdi_ask(fd, DAHDI_DIAL, &dial);
}

int vc_dahdi_is_dialling(int fd, int *out)
{
    return vc_dahdi_ask(fd, DAHDI_DIALING, out);
}

int vc_dahdi_set_digit_ms(int control, int dtmf_ms, int r2_ms)
{
    struct dahdi_dialparams params;
    memset(&params, 0, sizeof params);
    /* DAHDI keeps silent about what it does not take. */
    if (dtmf_ms < 10 || dtmf_ms > 4000 || r2_ms < 10 || r2_ms > 4000)
        return -EINVAL;
    params.dtmf_tonelen = dtmf_ms;
    params.mfr2_tonelen = r2_ms;
    return vc_dahdi_ask(control, DAHDI_SET_DIALPARAMS, &params);
}

int vc_dahdi_set_ring_cadence(int fd, const int *ms, int count)
{
    struct dahdi_ring_cadence cadence;
    memset(&cadence, 0, sizeof cadence);
    if (count < 2 || count > DAHDI_MAX_CADENCE || count % 2)
        return -EINVAL;
    for (int i = 0; i < count; i++) {
        if (ms[i] < 1 || ms[i] > 60000)
            return -EINVAL;
        cadence.ringcadence[i] = ms[i];
    }
    return vc_dahdi_ask(fd, DAHDI_SETCADENCE, &cadence);
}

int vc_dahdi_send_bits(int fd, int bits)
{
    if (bits < 0 || bits > DAHDI_BITS_ABCD)
        return -EINVAL;
    return vc_dahdi_ask(fd, DAHDI_SETTXBITS, &bits);
}

int vc_dahdi_set_polarity(int fd, int reversed)
{
    return vc_dahdi_ask(fd, DAHDI_SETPOLARITY, &reversed);
}

int vc_dahdi_detect_digits(int fd, int on)
{
    int what = on ? DAHDI_TONEDETECT_ON : 0;
    return vc_dahdi_ask(fd, DAHDI_TONEDETECT, &what);
}

int vc_dahdi_get_event(int fd, int *out)
{
    *out = VC_EVENT_NONE;
    return vc_dahdi_ask(fd, DAHDI_GETEVENT, out);
}

static int64_t now_ms(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

int vc_dahdi_wait_event(int fd, int within_ms, int *out)
{
    int64_t end = now_ms() + within_ms;
    for (;;) {
        int refused = vc_dahdi_get_event(fd, out);
        int64_t left = end - now_ms();
        if (refused || *out != VC_EVENT_NONE)
            return refused;
        if (left < 0)
            return -ETIMEDOUT;
        struct pollfd wait = {.fd = fd, .events = POLLPRI};
        if (poll(&wait, 1, (int)left) < 0 && errno != EINTR)
            return -errno;
        if (wait.revents & (POLLERR | POLLHUP | POLLNVAL))
            return -ENODEV;
    }
}
