#!/bin/sh
# First program in fresh namespaces: the read-only root with the rendered files laid over it, then Asterisk as PID 1.
# STAGE: an empty folder. SEED: the files to lay over. ROOT: the root file system.
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=0755 golden "$STAGE"
cd "$STAGE"
mkdir seed base upper work root
# Bound to short names: a colon or comma in a path would be taken for overlay's own.
mount --bind "$SEED" seed
mount --bind "$ROOT" base
mount -t overlay -o lowerdir=seed:base,upperdir=upper,workdir=work overlay root
cd root
mount -t proc -o nosuid,nodev,noexec proc proc
mount -t tmpfs -o mode=0755,nosuid dev dev
for node in null zero full random urandom; do
  : >dev/$node
  mount --bind /dev/$node dev/$node
done
mkdir -p run/asterisk var/log/asterisk/cel-custom var/spool/asterisk/sa800
hostname golden
ip link set lo up
chroot . chown -R asterisk:asterisk run/asterisk var/log/asterisk var/spool/asterisk var/lib/asterisk var/lib/sa800
exec /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
  chroot . /usr/sbin/asterisk -f -U asterisk -G asterisk -C /var/lib/sa800/asterisk/current/asterisk.conf
