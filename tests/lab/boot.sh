#!/bin/sh
# First program in a box's fresh namespaces: file system on tmpfs over the read-only root, then the supervisor as PID 1.
# SA8_STAGE (an empty folder), SA8_ROOT, SA8_APP, SA8_SEED, SA8_NAME; SA8_DATA and SA8_SHARE may be empty.
set -eu
mount -t tmpfs -o mode=0755 sa8 "$SA8_STAGE"
cd "$SA8_STAGE"
mkdir seed app base upper work root
# Bound to short names: a colon or comma in a path would be taken for overlay's own.
mount --bind "$SA8_SEED" seed
mount --bind "$SA8_APP" app
mount --bind "$SA8_ROOT" base
mount -t overlay -o lowerdir=seed:app:base,upperdir=upper,workdir=work overlay root
cd root
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t sysfs -o ro,nosuid,nodev,noexec sysfs sys
mount -t tmpfs -o mode=0755,nosuid dev dev
for node in null zero full random urandom tty; do
  : >dev/$node
  mount --bind /dev/$node dev/$node
done
mkdir dev/shm dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
if [ -n "${SA8_DATA:-}" ]; then mount --bind "$SA8_DATA" var/lib/sa800; fi
if [ -n "${SA8_SHARE:-}" ]; then mkdir -p srv/lab && mount --bind "$SA8_SHARE" srv/lab; fi
hostname "$SA8_NAME"
pivot_root . mnt
umount -l /mnt
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 PYTHONPATH=/usr/lib/sa800-lab \
  /usr/bin/python3 -B -m tests.lab.supervisor "$@"
