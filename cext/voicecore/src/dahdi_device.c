#include "dahdi_device.h"

#include <dahdi/user.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

int vc_dahdi_ask(int fd, unsigned long request, void *argument)
{
    int result;
    do {
        result = ioctl(fd, request, argument);
    } while (result < 0 && errno == EINTR);
    return result < 0 ? -errno : 0;
}

static int open_file(const char *path, int flags)
{
    int fd = open(path, O_RDWR | O_CLOEXEC | flags);
    return fd < 0 ? -errno : fd;
}

int vc_dahdi_open_control(void)
{
    return open_file("/dev/dahdi/ctl", 0);
}

int vc_dahdi_open_channel(int channel)
{
    int fd = open_file("/dev/dahdi/channel", O_NONBLOCK);
    if (fd < 0)
        return fd;
    int refused = vc_dahdi_ask(fd, DAHDI_SPECIFY, &channel);
    if (refused)
        close(fd);
    return refused ? refused : fd;
}

int vc_dahdi_open_pseudo(void)
{
    return open_file("/dev/dahdi/pseudo", O_NONBLOCK);
}

int vc_dahdi_close(int fd)
{
    /* Linux has let go of the file whatever close says: asking again could close another's. */
    return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int vc_dahdi_get_version(int control, vc_dahdi_version *out)
{
    struct dahdi_versioninfo info;
    memset(&info, 0, sizeof info);
    int refused = vc_dahdi_ask(control, DAHDI_GETVERSION, &info);
    if (refused)
        return refused;
    memcpy(out->dahdi, info.version, sizeof out->dahdi);
    memcpy(out->echo_cancellers, info.echo_canceller, sizeof out->echo_cancellers);
    out->dahdi[sizeof out->dahdi - 1] = out->echo_cancellers[sizeof out->echo_cancellers - 1] = '\0';
    return 0;
}
