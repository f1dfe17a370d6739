"""python3 -m image root | panel | layer | cext [variant] | boxcext | kernel | toolchain | openr2

Builds what is missing, prints where it is.
check-panel: lint, types and tests of web/.
disk: the root with the kernel's modules, as a disk for the emulated board.
lock [root] [kernel] [toolchain]: resolves packages anew and rewrites the lock, of all when none is named.
"""

import sys

from image import applayer, boxcext, cext, debian, disk, kernel, mirror, openr2, panel, rootfs, toolchain

RECIPES = {"root": rootfs.recipe, "kernel": kernel.recipe, "toolchain": toolchain.recipe}

BUILDS = {
    "root": rootfs.ensure,
    "boxcext": boxcext.ensure,
    "toolchain": toolchain.ensure,
    "kernel": kernel.ensure,
    "openr2": openr2.ensure,
}


def main(arguments: list[str]) -> int:
    match arguments:
        case [name] if name in BUILDS:
            print(BUILDS[name]())
        case ["panel"]:
            print(panel.ensure() or "")
        case ["check-panel"]:
            panel.check()
        case ["layer"]:
            print(applayer.ensure(rootfs.ensure()))
        case ["cext", *variant]:
            print(cext.ensure(*variant))
        case ["disk"]:
            print(disk.ensure((rootfs.ensure(), kernel.ensure() / "modules")))
        case ["lock", *names] if set(names) <= RECIPES.keys():
            for name in names or RECIPES:
                debian.relock(RECIPES[name]())
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (debian.BuildError, panel.PanelError, cext.CextError, mirror.NoMirrorError, ValueError) as error:
        sys.exit(f"image: {error}")
    except KeyboardInterrupt:
        sys.exit("image: interrupted; nothing was left behind")
