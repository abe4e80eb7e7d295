#!/bin/busybox sh
# /init of the test guest. Every line that it prints is the same on every machine, but for what uname says.
run=/bin/busybox
$run mount -t proc proc /proc
$run echo "READY $($run uname -r)"
n=0
while [ $n -lt 20000 ]; do n=$((n + 1)); done
$run echo "LOOP $n"
$run echo "SHA $($run gzip -c /bin/busybox | $run gunzip -c | $run sha256sum)"
n=0
while [ $n -lt 100 ]; do $run true; n=$((n + 1)); done
$run echo "FORKS $n"
$run awk 'BEGIN { for (k = 1; k < 20000; k++) s += 1 / (k * k); printf "FP %.12f\n", s }'
$run echo DONE
$run reboot -f
