#!/bin/busybox sh
# /init of the test guest that has a disk: drivers, an ext2 file system on the first disk, processes, pipes, signals, files, floating point; then it powers off.
# Every line that it prints is the same on every machine, but for what uname and the disk's name say.
run=/bin/busybox
$run mkdir -p /proc /sys /mnt /tmp /dev
$run mount -t proc proc /proc
$run mount -t sysfs sysfs /sys
$run mount -t devtmpfs dev /dev 2>/dev/null
for module in $($run cat /modules); do $run modprobe "$module" || $run echo "MODULE $module failed"; done
echo "READY $($run uname -r)"
disk=
tries=0
while [ -z "$disk" ] && [ $tries -lt 100 ]; do
  for candidate in /dev/vda /dev/sda; do [ -b $candidate ] && disk=$candidate; done
  [ -n "$disk" ] || $run sleep 0.1
  tries=$((tries + 1))
done
echo "DISK ${disk:-none}"
if $run mount -t ext2 "$disk" /mnt; then
  echo "MOUNTED $($run cat /mnt/motto)"
  $run cp /bin/busybox /mnt/copy && $run sync
  i=0
  while [ $i -lt 40 ]; do $run echo "line $i" >>/mnt/lines; i=$((i + 1)); done
  $run mkdir -p /mnt/a/b/c && $run mv /mnt/lines /mnt/a/b/c/lines && $run ln -s a/b/c/lines /mnt/link
  $run umount /mnt
  echo 3 >/proc/sys/vm/drop_caches
  $run mount -t ext2 "$disk" /mnt
  [ "$($run sha256sum </mnt/copy)" = "$($run sha256sum </bin/busybox)" ] && echo "FILE same"
  echo "LINES $($run wc -l </mnt/link) $($run tail -n 1 /mnt/link)"
  $run rm -r /mnt/copy /mnt/a /mnt/link
  $run umount /mnt && echo "UNMOUNTED"
fi
echo "PIPE $($run seq 1 5000 | $run grep 7 | $run sort -rn | $run head -n 1)"
got=no
trap 'got=yes' USR1
($run sleep 0.2; $run kill -USR1 1) &
$run sleep 1
wait
echo "SIGNAL $got"
$run sleep 100 &
victim=$!
# Whether the shell says "Killed" depends on when it learns of it.
{ $run kill -9 $victim; wait $victim; killed=$?; } 2>/dev/null
echo "KILLED $killed"
n=0
while [ $n -lt 30 ]; do (exit 3) & n=$((n + 1)); done
wait
echo "CHILDREN $n"
$run awk 'BEGIN { for (k = 1; k < 20000; k++) s += 1 / (k * k); printf "FP %.12f\n", s }'
echo "RTC $($run cut -d : -f 2 /proc/driver/rtc 2>/dev/null | $run head -n 2 | $run tail -n 1 | $run cut -c 2-5)"
echo DONE
$run sync
$run poweroff -f
