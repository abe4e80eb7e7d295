#!/usr/bin/env bash
# Fetches the real guests that tests and benchmarks use from Debian packages into .guests/.
#   tools/fetch-guests.sh [DIRECTORY]
# The i386 packages come through an APT view of their own: the system's architectures stay as they are.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
out=${1:-$root/.guests}
state=$out/.apt
mkdir -p "$out" "$state/lists/partial" "$state/cache/archives/partial"
: >>"$state/status"

i386_apt() {
  apt-get -q -o APT::Architecture=i386 -o APT::Architectures::=i386 \
    -o Dir::State="$state" -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" \
    -o Dir::Cache="$state/cache" -o APT::Sandbox::User=root -o Acquire::Retries=3 "$@"
}

# The meta package names the current kernel package: its first dependency.
kernel_package() {
  apt-cache -o APT::Architecture=i386 -o APT::Architectures::=i386 -o Dir::State="$state" \
    -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    depends linux-image-686 | sed -n 's/^ *Depends: \(linux-image-[^ :]*\).*/\1/p' | head -n 1
}

# fetch PACKAGE FILE-IN-PACKAGE TARGET
fetch() {
  local package=$1 inside=$2 target=$3 work
  work=$(mktemp -d)
  (cd "$work" && i386_apt download "$package" && dpkg-deb --fsys-tarfile ./*.deb | tar -x -f - --wildcards "$inside")
  mkdir -p "$(dirname "$target")"
  find "$work" -type f -path "$work/${inside#./}" -exec mv {} "$target" \; -quit
  rm -rf "$work"
  [ -s "$target" ] || { echo "fetch-guests: $package holds no $inside" >&2; exit 1; }
  echo "fetch-guests: $target ($(stat -c %s "$target") bytes, $package)"
}

# An initramfs with busybox as all of it: its init says READY, runs a loop, pipes, processes and floating point, says DONE and reboots.
build_initramfs() {
  local work
  command -v cpio >/dev/null || { echo "fetch-guests: cpio is missing: apt-get install cpio" >&2; exit 1; }
  work=$(mktemp -d)
  mkdir -p "$work/bin" "$work/dev" "$work/proc"
  install -m 755 "$out/busybox/busybox" "$work/bin/busybox"
  mknod "$work/dev/console" c 5 1
  mknod "$work/dev/null" c 1 3
  install -m 755 "$root/tools/guest-init.sh" "$work/init"
  (cd "$work" && find . | LC_ALL=C sort | cpio --quiet -o -H newc) | gzip -9n >"$1.part"
  mv "$1.part" "$1"
  rm -rf "$work"
  echo "fetch-guests: $1 ($(stat -c %s "$1") bytes)"
}

if [ ! -s "$out/linux-686/vmlinuz" ] || [ ! -s "$out/memtest86+/memtest.bin" ] || [ ! -s "$out/busybox/busybox" ] || [ ! -s "$out/ipxe/ipxe.iso" ] || [ ! -s "$out/isolinux/ldlinux.c32" ]; then
  # One index that is being synchronised must not stop the rest: what is missing then is noticed below.
  i386_apt update >/dev/null 2>"$state/update.log" || { echo "fetch-guests: some package indexes could not be fetched; using the others" >&2; }
fi
if [ ! -s "$out/linux-686/vmlinuz" ]; then
  package=$(kernel_package)
  [ -n "$package" ] || { echo "fetch-guests: linux-image-686 names no kernel package; is an i386 Debian mirror configured?" >&2; exit 1; }
  fetch "$package" './boot/vmlinuz-*' "$out/linux-686/vmlinuz"
fi
if [ ! -s "$out/memtest86+/memtest.bin" ]; then
  fetch memtest86+ './boot/memtest86+ia32.bin' "$out/memtest86+/memtest.bin" || echo "fetch-guests: memtest86+ is optional; going on without it" >&2
fi
if [ ! -s "$out/busybox/busybox" ]; then
  fetch busybox-static './bin/busybox' "$out/busybox/busybox"
fi
# fetch_once PACKAGE FILE-IN-PACKAGE TARGET
fetch_once() { [ -s "$3" ] || fetch "$@"; }

# A CD that ISOLINUX boots: kernel and initial RAM disk, everything on the serial line.
build_cd() {
  local work
  command -v xorriso >/dev/null || { echo "fetch-guests: xorriso is missing: apt-get install xorriso" >&2; exit 1; }
  work=$(mktemp -d)
  mkdir -p "$work/isolinux"
  cp "$out/isolinux/isolinux.bin" "$out/isolinux/ldlinux.c32" "$work/isolinux/"
  cp "$out/linux-686/vmlinuz" "$work/vmlinuz"
  cp "$out/linux-686/initramfs.gz" "$work/initramfs.gz"
  cat >"$work/isolinux/isolinux.cfg" <<'CFG'
serial 0 115200
say PLEXUS-ISOLINUX
default linux
label linux
  kernel /vmlinuz
  append initrd=/initramfs.gz console=ttyS0,115200 quiet
CFG
  find "$work" -exec touch -d @1700000000 {} +
  SOURCE_DATE_EPOCH=1700000000 xorriso -as mkisofs -quiet -o "$1.part" -b isolinux/isolinux.bin -c isolinux/boot.cat \
    -no-emul-boot -boot-load-size 4 -boot-info-table "$work" 2>/dev/null
  mv "$1.part" "$1"
  rm -rf "$work"
  echo "fetch-guests: $1 ($(stat -c %s "$1") bytes)"
}

for image in bios-256k.bin bios.bin vgabios-stdvga.bin vgabios-isavga.bin; do
  fetch_once seabios "./usr/share/seabios/$image" "$out/seabios/$image"
done
fetch_once grub-rescue-pc './usr/lib/grub-rescue/grub-rescue-cdrom.iso' "$out/grub/rescue-cd.iso"
fetch_once isolinux './usr/lib/ISOLINUX/isolinux.bin' "$out/isolinux/isolinux.bin"
fetch_once syslinux-common './usr/lib/syslinux/modules/bios/ldlinux.c32' "$out/isolinux/ldlinux.c32"
fetch_once ipxe './usr/lib/ipxe/ipxe.iso' "$out/ipxe/ipxe.iso"
if [ ! -s "$out/linux-686/initramfs.gz" ] || [ "$root/tools/guest-init.sh" -nt "$out/linux-686/initramfs.gz" ]; then
  build_initramfs "$out/linux-686/initramfs.gz"
fi
if [ ! -s "$out/linux-686/cd.iso" ] || [ "$out/linux-686/initramfs.gz" -nt "$out/linux-686/cd.iso" ]; then
  build_cd "$out/linux-686/cd.iso"
fi
echo "fetch-guests: done"
