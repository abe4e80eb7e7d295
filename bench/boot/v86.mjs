// Boots a Linux kernel or a CD on v86 and writes its serial port to stdout:
// node v86.mjs MODULES KERNEL INITRD|- COMMAND-LINE BIOS VGA-BIOS, or node v86.mjs MODULES --cdrom IMAGE MEBIBYTES BIOS VGA-BIOS
import { pathToFileURL } from "node:url";
import path from "node:path";

const [modules, kernel, initrd, commandLine, bios, vgaBios] = process.argv.slice(2);
const build = path.join(modules, "v86", "build");
const { V86 } = await import(pathToFileURL(path.join(build, "libv86.mjs")));
const isCd = kernel === "--cdrom";
const machine = new V86({
  wasm_path: path.join(build, "v86.wasm"),
  bios: { url: bios },
  vga_bios: { url: vgaBios },
  ...(isCd
    ? { cdrom: { url: initrd }, boot_order: 0x123, memory_size: Number(commandLine) * 1024 * 1024 }
    : { bzimage: { url: kernel }, ...(initrd === "-" ? {} : { initrd: { url: initrd } }), cmdline: commandLine, memory_size: 128 * 1024 * 1024 }),
  autostart: true,
  disable_keyboard: true,
  disable_mouse: true,
  disable_speaker: true,
});
machine.add_listener("serial0-output-byte", byte => process.stdout.write(String.fromCharCode(byte)));
