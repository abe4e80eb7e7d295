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
kernel_package() { # META-PACKAGE
  apt-cache -o APT::Architecture=i386 -o APT::Architectures::=i386 -o Dir::State="$state" \
    -o Dir::State::lists="$state/lists" -o Dir::State::status="$state/status" -o Dir::Cache="$state/cache" \
    depends "$1" | sed -n 's/^ *Depends: \(linux-image-[^ :]*\).*/\1/p' | head -n 1
}

# download PACKAGE: into a directory of its own, once a run.
packages=$(mktemp -d)
trap 'rm -rf "$packages"' EXIT
download() {
  [ ! -d "$packages/$1" ] || return 0
  mkdir "$packages/$1"
  (cd "$packages/$1" && i386_apt download "$1")
}

# fetch PACKAGE FILE-IN-PACKAGE TARGET
fetch() {
  local package=$1 inside=$2 target=$3 work
  work=$(mktemp -d)
  download "$package"
  (cd "$work" && dpkg-deb --fsys-tarfile "$packages/$package"/*.deb | tar -x -f - --wildcards "$inside")
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

if [ ! -s "$out/linux-686-pae/disk-initramfs.gz" ] || [ ! -s "$out/linux-686/disk-initramfs.gz" ] || [ ! -s "$out/debian-installer/initrd.gz" ] || [ ! -s "$out/gnumach/gnumach" ] || [ ! -s "$out/linux-686/vmlinuz" ] || [ ! -s "$out/memtest86+/memtest.bin" ] || [ ! -s "$out/busybox/busybox" ] || [ ! -s "$out/ipxe/ipxe.iso" ] || [ ! -s "$out/isolinux/ldlinux.c32" ]; then
  # One index that is being synchronised must not stop the rest: what is missing then is noticed below.
  i386_apt update >/dev/null 2>"$state/update.log" || { echo "fetch-guests: some package indexes could not be fetched; using the others" >&2; }
fi
if [ ! -s "$out/linux-686/vmlinuz" ]; then
  package=$(kernel_package linux-image-686)
  [ -n "$package" ] || { echo "fetch-guests: linux-image-686 names no kernel package; is an i386 Debian mirror configured?" >&2; exit 1; }
  fetch "$package" './boot/vmlinuz-*' "$out/linux-686/vmlinuz"
fi
if [ ! -s "$out/memtest86+/memtest.bin" ]; then
  fetch memtest86+ './boot/memtest86+ia32.bin' "$out/memtest86+/memtest.bin" || echo "fetch-guests: memtest86+ is optional; going on without it" >&2
fi
if [ ! -s "$out/busybox/busybox" ]; then
  fetch busybox-static './bin/busybox' "$out/busybox/busybox"
fi
# build_disk_initramfs PACKAGE-FILE TARGET: busybox, the drivers of disks and of ext2 from a kernel package, and an init that works on a disk and powers off.
build_disk_initramfs() {
  local work release module
  command -v depmod >/dev/null || { echo "fetch-guests: depmod is missing: apt-get install kmod" >&2; exit 1; }
  work=$(mktemp -d)
  mkdir -p "$work/all" "$work/root/bin" "$work/root/dev"
  dpkg-deb --fsys-tarfile "$1" | tar -x -C "$work/all" -f - --wildcards './lib/modules/*'
  release=$(ls "$work/all/lib/modules")
  depmod -b "$work/all" "$release"
  for module in ata_piix sd_mod virtio_pci virtio_blk ext4 crc32c_generic; do
    echo $module >>"$work/root/modules"
    sed -n "s|^\\(kernel/[^:]*/$module\\.ko\\):\\(.*\\)|\\1 \\2|p" "$work/all/lib/modules/$release/modules.dep" | tr ' ' '\n' | sed '/^$/d' >>"$work/wanted"
  done
  sort -u "$work/wanted" | (cd "$work/all/lib/modules/$release" && xargs cp --parents -t "$work" 2>/dev/null)
  mkdir -p "$work/root/lib/modules/$release"
  cp -r "$work/kernel" "$work/root/lib/modules/$release/"
  depmod -b "$work/root" "$release" 2>/dev/null
  mknod "$work/root/dev/console" c 5 1
  mknod "$work/root/dev/null" c 1 3
  install -m 755 "$out/busybox/busybox" "$work/root/bin/busybox"
  install -m 755 "$root/tools/guest-init-disk.sh" "$work/root/init"
  find "$work/root" -exec touch -h -d @1700000000 {} +
  (cd "$work/root" && find . | LC_ALL=C sort | cpio --quiet -o -H newc) | gzip -9n >"$2.part"
  mv "$2.part" "$2"
  rm -rf "$work"
  echo "fetch-guests: $2 ($(stat -c %s "$2") bytes)"
}

# fetch_linux PACKAGE DIRECTORY: kernel and an initial RAM disk with its drivers.
fetch_linux() {
  local package
  [ -s "$2/disk-initramfs.gz" ] && [ ! "$root/tools/guest-init-disk.sh" -nt "$2/disk-initramfs.gz" ] && return
  package=$(kernel_package "$1")
  [ -n "$package" ] || { echo "fetch-guests: $1 names no kernel package; is an i386 Debian mirror configured?" >&2; exit 1; }
  [ -s "$2/vmlinuz" ] || fetch "$package" './boot/vmlinuz-*' "$2/vmlinuz"
  download "$package"
  build_disk_initramfs "$packages/$package"/*.deb "$2/disk-initramfs.gz"
}

# What loaders load: a directory of kernels, and the answers to "does it work".
stage_files() {
  mkdir -p "$1"
  cp "$out/linux-686/vmlinuz" "$1/vmlinuz"
  cp "$out/linux-686/initramfs.gz" "$1/initrd.gz"
  cp "$out/memtest86+/memtest.bin" "$1/memtest.bin"
  cp "$out/gnumach/gnumach" "$1/gnumach"
  echo "Files stay." >"$1/motto"
}

# A disk without partitions, ext2.
build_ext2_disk() {
  local work
  command -v mke2fs >/dev/null || { echo "fetch-guests: mke2fs is missing: apt-get install e2fsprogs" >&2; exit 1; }
  work=$(mktemp -d)
  stage_files "$work/files"
  rm -f "$1.part"
  mke2fs -q -t ext2 -d "$work/files" -U 01234567-89ab-cdef-0123-456789abcdef "$1.part" 32M
  mv "$1.part" "$1"
  rm -rf "$work"
  echo "fetch-guests: $1 ($(stat -c %s "$1") bytes)"
}

# SYSLINUX in FAT file systems: a floppy with memtest86+, and a disk without partitions with Linux and what GRUB loads.
build_fat_images() {
  local work
  for tool in mformat syslinux; do command -v $tool >/dev/null || { echo "fetch-guests: $tool is missing: apt-get install mtools syslinux" >&2; exit 1; }; done
  work=$(mktemp -d)
  stage_files "$work/files"
  mformat -C -f 1440 -v PLEXUS -N 20231114 -i "$work/floppy.img" ::
  printf 'serial 0 115200\nsay PLEXUS-SYSLINUX\ndefault memtest\nlabel memtest\n  linux /memtest.bin\n' >"$work/syslinux.cfg"
  mcopy -i "$work/floppy.img" "$work/syslinux.cfg" "$work/files/memtest.bin" ::
  syslinux --install "$work/floppy.img"
  mformat -C -t 40 -h 16 -s 63 -v PLEXUS -N 20231114 -i "$work/fat.img" ::
  printf 'serial 0 115200\nsay PLEXUS-SYSLINUX\ndefault linux\nlabel linux\n  kernel /vmlinuz\n  append initrd=/initrd.gz console=ttyS0,115200 quiet\n' >"$work/syslinux.cfg"
  mcopy -i "$work/fat.img" "$work/syslinux.cfg" "$work/files/"* ::
  syslinux --install "$work/fat.img"
  mkdir -p "$1"
  mv "$work/floppy.img" "$1/floppy.img"
  mv "$work/fat.img" "$1/fat.img"
  rm -rf "$work"
  echo "fetch-guests: $1/floppy.img, $1/fat.img ($(stat -c %s "$1/fat.img") bytes)"
}

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
fetch_linux linux-image-686 "$out/linux-686"
fetch_linux linux-image-686-pae "$out/linux-686-pae"
if [ ! -s "$out/grub/rescue-floppy.img" ]; then
  fetch grub-rescue-pc './usr/lib/grub-rescue/grub-rescue-floppy.img' "$out/grub/rescue-floppy.img"
  truncate -s 1474560 "$out/grub/rescue-floppy.img" # As on a 1.44 MB disk.
fi
if [ ! -s "$out/gnumach/gnumach" ]; then
  fetch gnumach-image-1.8-486 './boot/gnumach-*.gz' "$out/gnumach/gnumach.gz"
  gunzip -f "$out/gnumach/gnumach.gz"
fi
fetch_once debian-installer-12-netboot-i386 './usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/linux' "$out/debian-installer/linux"
fetch_once debian-installer-12-netboot-i386 './usr/lib/debian-installer/images/12/i386/text/debian-installer/i386/initrd.gz' "$out/debian-installer/initrd.gz"
if [ ! -s "$out/disks/ext2.img" ] || [ "$out/linux-686/initramfs.gz" -nt "$out/disks/ext2.img" ]; then
  mkdir -p "$out/disks"
  build_ext2_disk "$out/disks/ext2.img"
fi
if [ ! -s "$out/syslinux/fat.img" ] || [ "$out/linux-686/initramfs.gz" -nt "$out/syslinux/fat.img" ]; then
  build_fat_images "$out/syslinux"
fi
echo "fetch-guests: done"
